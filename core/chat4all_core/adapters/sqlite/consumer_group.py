"""Which member of a consumer group has which partition, within one process.

A partition moves in three steps: the *target* changes when members come and go; the *owner* sees that in
its next poll, hands over in peace and lets go; the new owner takes it. An owner that does not poll for the
session timeout while another waits is taken for dead: it loses all it has and is no member any more.
"""

from collections.abc import Callable, Collection

from chat4all_core.adapters.sqlite.wake_up import WakeUp


class Member:
    """A consumer as its group sees it."""

    def __init__(self, wake_up: WakeUp, now: float) -> None:
        self.wake_up = wake_up
        self.last_seen = now
        self.waiting = False
        """A member that waits for records is alive, however long."""


class ConsumerGroup:
    """One topic's partitions shared by members."""

    def __init__(self, name: str, partitions: int, session_timeout: float, monotonic: Callable[[], float]) -> None:
        self.name = name
        self._partitions = range(partitions)
        self._session_timeout = session_timeout
        self._monotonic = monotonic
        self._members: list[Member] = []
        self._owner: dict[int, Member] = {}
        self._target: dict[int, Member] = {}

    def join(self, wake_up: WakeUp) -> Member:
        """A new member; its share comes with `take`."""
        member = Member(wake_up, self._monotonic())
        self._members.append(member)
        self._balance()
        return member

    def leave(self, member: Member) -> None:
        """Let go of everything. Nothing happens for one that is no member any more."""
        if member in self._members:
            self._members.remove(member)
            self._owner = {p: owner for p, owner in self._owner.items() if owner is not member}
            self._balance()

    def seen(self, member: Member) -> None:
        """The member polls, so it is alive."""
        member.waiting = False
        member.last_seen = self._monotonic()

    def waits(self, member: Member) -> None:
        """The member waits for records or partitions until it is `seen` again."""
        member.waiting = True

    def is_member(self, member: Member) -> bool:
        """False once it was taken for dead."""
        return member in self._members

    def owns(self, member: Member, partition: int) -> bool:
        """Whether the partition is the member's."""
        return self._owner.get(partition) is member

    def to_hand_over(self, member: Member) -> list[int]:
        """What the member has and is to let go of."""
        return [p for p, owner in self._owner.items() if owner is member and self._target[p] is not member]

    def let_go(self, member: Member, partitions: Collection[int]) -> None:
        """The member has handed over."""
        for partition in partitions:
            if self._owner.get(partition) is member:
                del self._owner[partition]
        self._wake_all()

    def take(self, member: Member) -> list[int]:
        """Give a member what is free and meant for it."""
        self._bury_silent_owners(member)
        free = [p for p in self._partitions if self._target.get(p) is member and p not in self._owner]
        self._owner.update(dict.fromkeys(free, member))
        return free

    def next_look(self, member: Member) -> float:
        """When `take` may give more without a notification: seconds of the monotonic clock, or infinity."""
        return min(
            (self._deadline(owner) for owner in self._owners_in_the_way(member)),
            default=float("inf"),
        )

    def _owners_in_the_way(self, member: Member) -> set[Member]:
        return {
            self._owner[p]
            for p, target in self._target.items()
            if target is member and p in self._owner and self._owner[p] is not member
        }

    def _deadline(self, owner: Member) -> float:
        since = self._monotonic() if owner.waiting else owner.last_seen
        return since + self._session_timeout

    def _bury_silent_owners(self, member: Member) -> None:
        for owner in self._owners_in_the_way(member):
            if self._deadline(owner) <= self._monotonic():
                self.leave(owner)

    def _balance(self) -> None:
        """Share evenly, moving as few partitions as that takes."""
        shares: dict[Member, list[int]] = {member: [] for member in self._members}
        for partition, member in self._target.items():
            if member in shares:
                shares[member].append(partition)
        if shares:
            self._target = _even(shares, self._partitions)
        else:
            self._target = {}
        self._wake_all()

    def _wake_all(self) -> None:
        for member in self._members:
            member.wake_up.notify()


def _even(shares: dict[Member, list[int]], partitions: range) -> dict[int, Member]:
    smallest, larger_ones = divmod(len(partitions), len(shares))
    # Those with most keep one more than the others, where the division leaves a remainder.
    by_size = sorted(shares, key=lambda member: -len(shares[member]))
    quota = {member: smallest + (index < larger_ones) for index, member in enumerate(by_size)}
    target = {p: member for member in shares for p in shares[member][: quota[member]]}
    free = iter([p for p in partitions if p not in target])
    for member in by_size:
        for _ in range(quota[member] - min(len(shares[member]), quota[member])):
            target[next(free)] = member
    return target

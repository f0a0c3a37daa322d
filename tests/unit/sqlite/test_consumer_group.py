"""Sharing partitions among the members of a group."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from chat4all_core.adapters.sqlite.consumer_group import ConsumerGroup, Member
from chat4all_core.adapters.sqlite.wake_up import WakeUp

PARTITIONS = 12


def settle(group: ConsumerGroup, members: Sequence[Member]) -> dict[Member, set[int]]:
    """What each member has once all have handed over and taken."""
    for member in members:
        group.let_go(member, group.to_hand_over(member))
    for member in members:
        group.take(member)
    return {member: {p for p in range(PARTITIONS) if group.owns(member, p)} for member in members}


@given(moves=st.lists(st.integers(-5, 5), max_size=20))
async def test_shares_are_even_and_sticky(moves: list[int]) -> None:
    """However members come and go, every partition has one owner, shares differ by one at most, and a partition
    moves only when its owner left or had more than its share."""
    group = ConsumerGroup("group", PARTITIONS, 30, lambda: 0.0)
    members: list[Member] = []
    before: dict[Member, set[int]] = {}
    for move in moves:
        if move < 0 and members:
            group.leave(members.pop(-move % len(members)))
        else:
            members.append(group.join(WakeUp()))
        after = settle(group, members)
        if members:
            assert sorted(p for share in after.values() for p in share) == list(range(PARTITIONS))
            sizes = [len(share) for share in after.values()]
            assert max(sizes) - min(sizes) <= 1
            for member, share in after.items():
                kept = before.get(member, set()) & share
                assert len(kept) == min(len(before.get(member, set())), len(share))
        before = after


async def test_an_owner_keeps_its_partitions_until_it_hands_over() -> None:
    """A newcomer gets nothing while the owner has not let go, and is told when to look again."""
    now = 0.0
    group = ConsumerGroup("group", PARTITIONS, 30, lambda: now)
    owner = group.join(WakeUp())
    assert len(group.take(owner)) == PARTITIONS
    newcomer = group.join(WakeUp())
    assert group.take(newcomer) == []
    assert group.next_look(newcomer) == 30.0
    group.let_go(owner, group.to_hand_over(owner))
    assert len(group.take(newcomer)) == PARTITIONS // 2
    assert group.next_look(newcomer) == float("inf")


async def test_only_silence_is_taken_for_death() -> None:
    """An owner that waits in a poll stays, however long; one that handles for longer than the timeout does not."""
    now = 0.0
    group = ConsumerGroup("group", PARTITIONS, 30, lambda: now)
    owner = group.join(WakeUp())
    group.take(owner)
    group.waits(owner)
    newcomer = group.join(WakeUp())
    now = 1_000.0
    assert group.take(newcomer) == []
    group.seen(owner)
    now = 1_029.0
    assert group.take(newcomer) == []
    now = 1_030.0
    assert len(group.take(newcomer)) == PARTITIONS
    assert not group.is_member(owner)

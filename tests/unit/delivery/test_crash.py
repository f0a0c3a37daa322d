"""Connectors that are killed anywhere."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import pytest
from connector_world import ConnectorWorld, Fate, now
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_channel import ScriptedAccount, Told
from virtual_time import run_in_virtual_time

from chat4all_channels.outcome import Outcome, Refused, RetryAfter, Scope, Undecided
from chat4all_core.domain.delivery import DeliveryFailure
from chat4all_core.domain.delivery_state import DeliveryState, lowest
from chat4all_core.ports.delivery_ledger import Claim

FAILURE = DeliveryFailure("131026", "not on the network", "ask for another number")
LONG = RetryAfter(700, Scope.RECIPIENT, "131049", "later")
SHORT = RetryAfter(2, Scope.RECIPIENT, "131056", "too many")
SLOW = RetryAfter(3, Scope.ACCOUNT, "130429", "throughput")

Kill = tuple[int, bool]
"""The number of the operation, and whether it takes effect first."""


class Run:
    """Deliveries that are told by processes of which some are killed."""

    def __init__(self, outcomes: Sequence[tuple[int, Outcome]] = (), people: int = 2) -> None:
        self.account = ScriptedAccount(now, answer=self._answer)
        self.world = ConnectorWorld(self.account)
        self._outcomes: defaultdict[str, list[Outcome]] = defaultdict(list)
        for sequence, outcome in outcomes:
            self._outcomes[str(sequence)].append(outcome)
        self._people = people
        self.undecidable: set[int] = set()
        """Sequences of those that a process had claimed, and not settled, when it was killed, and of those to which the
        channel gave no answer."""

    async def of(self, deliveries: int, kills: Sequence[Kill]) -> int:
        """Run, and check all that must hold in the end; the number of operations of the first process."""
        requested = [await self.world.request(f"+{number % self._people}") for number in range(deliveries)]
        operations = 0
        for at, after in kills:
            fate = Fate(at, after=after)
            await self.world.run_until_killed(fate)
            claimed = {k.delivery_id for k, entry in self.world.ledger.entries.items() if isinstance(entry, Claim)}
            self.undecidable |= {each.sequence for each in requested if each.delivery_id in claimed}
            operations = operations or fate.operations
        await self.world.run_to_the_end()
        self._check(deliveries)
        return operations

    async def _answer(self, told: Told) -> Outcome | None:
        outcomes = self._outcomes[told.text]
        outcome = outcomes.pop(0) if outcomes else None
        if isinstance(outcome, Undecided):
            self.undecidable.add(int(told.text))
        return outcome

    def _check(self, deliveries: int) -> None:
        states: defaultdict[int, set[DeliveryState]] = defaultdict(set)
        for each in self.world.evidence():
            states[each.sequence].add(each.state)
        assert set(states) == set(range(1, deliveries + 1))
        assert all(len(found) == 1 for found in states.values())
        final = {sequence: lowest(found) for sequence, found in states.items()}
        unknown = {sequence for sequence, state in final.items() if state is DeliveryState.UNKNOWN}
        assert unknown == self.undecidable

        told = Counter(int(each.text) for each in self.account.accepted)
        assert set(told.values()) <= {1}
        assert {sequence for sequence, state in final.items() if state is DeliveryState.SENT} <= set(told)
        assert set(told) - unknown <= {sequence for sequence, state in final.items() if state is DeliveryState.SENT}
        for person in {each.to for each in self.account.calls}:
            heard = [int(each.text) for each in self.account.calls if each.to == person]
            assert heard == sorted(heard)
        assert not self.world.open_claims()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_any_operation_loses_and_doubles_nothing(after: bool) -> None:
    """Wherever a connector is killed - reading, claiming, calling, settling, appending, committing, before or after it
    took effect - each message is told once and in order, but for those that were being told, which are UNKNOWN."""

    async def run(at: int) -> int:
        return await Run().of(4, [(at, after)])

    operations = run_in_virtual_time(run(1_000_000))
    assert operations > 30
    for at in range(operations):
        run_in_virtual_time(run(at))


outcome = st.sampled_from([LONG, SHORT, SLOW, Refused(FAILURE), Undecided("no answer")])


@settings(max_examples=30, deadline=None)
@given(
    outcomes=st.lists(st.tuples(st.integers(1, 6), outcome), max_size=5),
    kills=st.lists(st.tuples(st.integers(0, 120), st.booleans()), max_size=4),
    people=st.integers(1, 3),
)
def test_kills_among_failures_lose_and_double_nothing(
    outcomes: list[tuple[int, Outcome]], kills: list[Kill], people: int
) -> None:
    """The same while the channel refuses, asks for pauses short and long, and leaves calls unanswered, and several
    processes in a row are killed."""

    async def run() -> None:
        await Run(outcomes, people).of(6, kills)

    run_in_virtual_time(run())

"""Routing whatever crashes, and whoever wakes up late."""

import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from routing_simulation import BEA, USERS, Engines, Simulation, violations

from chat4all_core.domain.channel import ChannelAddress, ChannelName
from chat4all_core.domain.ids import ConversationId, MessageId
from chat4all_core.domain.message import AcceptedMessage, DeliveryRoute
from chat4all_core.domain.timestamp import Timestamp

CONVERSATIONS = 3


@st.composite
def logs(draw: st.DrawFn) -> Sequence[AcceptedMessage]:
    """Accepted messages of a few conversations, many of them repeated, some long after newer ones."""
    numbers = draw(st.lists(st.integers(0, 11), min_size=1, max_size=25))
    times = draw(st.lists(st.integers(-5, 5), min_size=len(numbers), max_size=len(numbers)))
    return [message(number, time) for number, time in zip(numbers, times, strict=True)]


def message(number: int, time: int = 0) -> AcceptedMessage:
    """The message with a number; a retry has the same number, and its clock may say anything."""
    senders = [*USERS, BEA.participant]
    routes = (DeliveryRoute(USERS[2], ChannelAddress(ChannelName("telegram"), "1")),) if number % 5 == 0 else ()
    return AcceptedMessage(
        MessageId(f"m{number}"),
        ConversationId(f"c{number % CONVERSATIONS}"),
        senders[number % len(senders)],
        "hi",
        Timestamp(time),
        1,
        routes=routes,
    )


@settings(max_examples=400, deadline=None)
@given(log=logs(), seed=st.integers(0, 2**32), steps=st.integers(0, 800))
def test_no_schedule_breaks_the_fold(log: Sequence[AcceptedMessage], seed: int, steps: int) -> None:
    """Rows, positions, streams and deliveries are those of an undisturbed run, whatever crashes or wakes up late
    between any two steps."""
    rng = random.Random(seed)
    simulation = Simulation(log, Engines(rng), rng)
    simulation.run(steps)
    assert violations(log, simulation.engines) == []


def test_the_simulation_notices_when_a_replays_rows_count_as_state() -> None:
    """Without the rule that only rows from before the record count, most schedules break the sequences: the
    simulation has teeth."""
    broken = 0
    for seed in range(200):
        rng = random.Random(seed)
        log = [message(rng.randint(0, 11)) for _ in range(25)]
        simulation = Simulation(log, Engines(rng, ignore_sources=True), rng)
        simulation.run(800)
        broken += bool(violations(log, simulation.engines))
    assert broken > 100

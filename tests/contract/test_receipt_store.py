"""ReceiptStore: cursors that only grow, and when they did."""

import random
import uuid

from engine_under_test import EngineUnderTest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat4all_core.domain.delivery_state import Cursor, DeliveryState, Receipt, StateChange
from chat4all_core.domain.ids import ConversationId, ParticipantId, UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.engine import Engine

DELIVERED, READ = DeliveryState.DELIVERED, DeliveryState.READ


def new_conversation() -> ConversationId:
    """An id that nobody uses."""
    return ConversationId(str(uuid.uuid4()))


def user(name: str) -> UserId:
    """A participant."""
    return UserId(ParticipantId(name))


def receipt(conversation: ConversationId, who: str, state: DeliveryState, sequence: int, time: int) -> Receipt:
    """Evidence."""
    return Receipt(conversation, user(who), state, sequence, Timestamp(time))


async def test_cursors_of_many_conversations(engine: Engine) -> None:
    """Each participant's cursor is found in its conversation; one without any has an empty mapping."""
    one, two, empty = new_conversation(), new_conversation(), new_conversation()
    await engine.receipts.record(
        [
            receipt(one, "ann", DELIVERED, 5, 10),
            receipt(one, "bob", READ, 3, 11),
            receipt(two, "ann", DELIVERED, 1, 12),
        ]
    )
    await engine.receipts.record_sent({(one, user("ann")): 6, (two, user("cem")): 2})
    assert await engine.receipts.cursors([one, two, empty]) == {
        one: {"ann": Cursor(5, 0, 6), "bob": Cursor(3, 3, 0)},
        two: {"ann": Cursor(1, 0, 0), "cem": Cursor(0, 0, 2)},
        empty: {},
    }
    assert await engine.receipts.cursors([]) == {}


async def test_cursors_never_go_back(engine: Engine) -> None:
    """Late or repeated evidence changes nothing, and READ implies DELIVERED."""
    conversation = new_conversation()
    evidence = [
        receipt(conversation, "ann", READ, 4, 10),
        receipt(conversation, "ann", DELIVERED, 2, 11),
        receipt(conversation, "ann", READ, 1, 12),
        receipt(conversation, "ann", DELIVERED, 9, 13),
    ]
    for one in [*evidence, *evidence]:
        await engine.receipts.record([one])
    await engine.receipts.record_sent({(conversation, user("ann")): 7})
    await engine.receipts.record_sent({(conversation, user("ann")): 6})
    assert await engine.receipts.cursors([conversation]) == {conversation: {"ann": Cursor(9, 4, 7)}}


async def test_history_tells_when_each_state_came(engine: Engine) -> None:
    """A message's history has the moment at which each state first covered it, the oldest first, whoever covered
    more of the conversation later."""
    conversation = new_conversation()
    await engine.receipts.record(
        [
            receipt(conversation, "ann", DELIVERED, 2, 10),
            receipt(conversation, "bob", DELIVERED, 1, 11),
            receipt(conversation, "ann", READ, 1, 12),
            receipt(conversation, "ann", DELIVERED, 5, 13),
            receipt(conversation, "ann", READ, 5, 14),
            receipt(conversation, "bob", READ, 3, 15),
        ]
    )
    assert await engine.receipts.history(conversation, 1) == [
        StateChange(user("ann"), DELIVERED, Timestamp(10)),
        StateChange(user("bob"), DELIVERED, Timestamp(11)),
        StateChange(user("ann"), READ, Timestamp(12)),
        StateChange(user("bob"), READ, Timestamp(15)),
    ]
    assert await engine.receipts.history(conversation, 2) == [
        StateChange(user("ann"), DELIVERED, Timestamp(10)),
        StateChange(user("ann"), READ, Timestamp(14)),
        StateChange(user("bob"), READ, Timestamp(15)),
    ]
    assert await engine.receipts.history(conversation, 4) == [
        StateChange(user("ann"), DELIVERED, Timestamp(13)),
        StateChange(user("ann"), READ, Timestamp(14)),
    ]
    assert await engine.receipts.history(conversation, 6) == []
    assert await engine.receipts.history(new_conversation(), 1) == []


async def test_a_delivery_that_reading_tells_is_left_out(engine: Engine) -> None:
    """DELIVERED is no moment of its own where READ came no later."""
    conversation = new_conversation()
    await engine.receipts.record([receipt(conversation, "ann", READ, 3, 10)])
    await engine.receipts.record([receipt(conversation, "ann", DELIVERED, 4, 11)])
    assert await engine.receipts.history(conversation, 3) == [StateChange(user("ann"), READ, Timestamp(10))]


async def test_what_was_recorded_survives(under_test: EngineUnderTest) -> None:
    """Cursors and history are there when the engine is opened again."""
    conversation = new_conversation()
    async with under_test.open() as engine:
        await engine.receipts.record([receipt(conversation, "ann", DELIVERED, 3, 10)])
        await engine.receipts.record_sent({(conversation, user("ann")): 2})
    async with under_test.open() as engine:
        assert await engine.receipts.cursors([conversation]) == {conversation: {"ann": Cursor(3, 0, 2)}}
        assert len(await engine.receipts.history(conversation, 3)) == 1


async def test_receipts_of_many_conversations_at_once(under_test: EngineUnderTest) -> None:
    """Each is merged with what its own conversation has, also by an engine that has seen none of them before."""
    conversations = [new_conversation() for _ in range(70)]
    async with under_test.open() as engine:
        await engine.receipts.record(
            [receipt(c, "ann", DELIVERED, 3 + n % 2, 10) for n, c in enumerate(conversations)]
            + [receipt(c, "bob", READ, 2, 11) for c in conversations]
        )
    async with under_test.open() as engine:
        await engine.receipts.record(
            [receipt(c, who, DELIVERED, 4, 20) for c in conversations for who in ("ann", "bob")]
        )
        assert await engine.receipts.cursors(conversations) == {
            c: {"ann": Cursor(4, 0, 0), "bob": Cursor(4, 2, 0)} for c in conversations
        }
        for n, conversation in enumerate(conversations[:4]):
            assert await engine.receipts.history(conversation, 4) == [
                StateChange(user("ann"), DELIVERED, Timestamp(20 - 10 * (n % 2))),
                StateChange(user("bob"), DELIVERED, Timestamp(20)),
            ]


evidence = st.tuples(
    st.sampled_from(["ann", "bob"]), st.sampled_from([DELIVERED, READ]), st.integers(1, 8), st.integers(1, 12)
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(evidence, min_size=1, max_size=20), seed=st.integers(0, 1000))
async def test_the_order_of_evidence_does_not_matter(
    engine: Engine, found: list[tuple[str, DeliveryState, int, int]], seed: int
) -> None:
    """However evidence is ordered, divided and repeated, cursors are its highest sequences and a message's
    history has the earliest times that cover it."""
    conversation = new_conversation()
    receipts = [receipt(conversation, *one) for one in found]
    rng = random.Random(seed)
    again = [*receipts, *rng.sample(receipts, rng.randint(0, len(receipts)))]
    rng.shuffle(again)
    while again:
        count = rng.randint(1, len(again))
        await engine.receipts.record(again[:count])
        del again[:count]

    def highest(who: str, *states: DeliveryState) -> int:
        return max((r.sequence for r in receipts if r.participant == who and r.state in states), default=0)

    cursors = (await engine.receipts.cursors([conversation]))[conversation]
    assert cursors == {
        r.participant: Cursor(highest(r.participant, DELIVERED, READ), highest(r.participant, READ)) for r in receipts
    }
    for sequence in range(1, 10):
        history = await engine.receipts.history(conversation, sequence)
        first: dict[tuple[str, DeliveryState], int] = {}
        for r in receipts:
            if r.sequence >= sequence:
                first[r.participant, r.state] = min(first.get((r.participant, r.state), r.time), r.time)
        expected = {
            key: time for key, time in first.items() if key[1] is READ or time < first.get((key[0], READ), time + 1)
        }
        assert {(change.participant, change.state): change.time for change in history} == expected
        assert [change.time for change in history] == sorted(change.time for change in history)

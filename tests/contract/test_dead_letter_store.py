"""DeadLetterStore: what operators find."""

import random
import uuid
from dataclasses import replace

from engine_under_test import EngineUnderTest

from chat4all_core.domain.dead_letter import DeadLetter, DeadLetterEvent, DeadLetterId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.dead_letter_store import DeadLetterPosition
from chat4all_core.ports.engine import Engine

NOW = system_clock()
DAY = 24 * 3_600 * SECOND


def new_letter(rejected_at: int = NOW) -> DeadLetter:
    """With everything in it."""
    return DeadLetter(
        dead_letter_id=DeadLetterId(str(uuid.uuid4())),
        topic="topic",
        key="+5511",
        value=b"\x00\xff",
        code="131026",
        reason="não existe",
        rejected_at=Timestamp(rejected_at),
        remedy="ask",
        history=(DeadLetterEvent(Timestamp(1), "130429: slow down"), DeadLetterEvent(Timestamp(2), "again")),
    )


def position(letter: DeadLetter) -> DeadLetterPosition:
    """Of a letter in the list."""
    return DeadLetterPosition(letter.rejected_at, letter.dead_letter_id)


async def test_a_letter_is_found_as_it_was_put(under_test: EngineUnderTest) -> None:
    """All of it, also when the engine is opened again; an unknown id leads nowhere."""
    letter = new_letter()
    async with under_test.open() as engine:
        await engine.dead_letters.put([letter])
    async with under_test.open() as engine:
        assert await engine.dead_letters.get(letter.dead_letter_id) == letter
        assert await engine.dead_letters.get(DeadLetterId(str(uuid.uuid4()))) is None


async def test_a_letter_stays_as_it_came_first(engine: Engine) -> None:
    """A record that is rejected again changes nothing, and is listed once; a redrive is noted."""
    letter = new_letter()
    await engine.dead_letters.put([letter])
    await engine.dead_letters.mark_redriven(letter.dead_letter_id, Timestamp(77))
    await engine.dead_letters.put([replace(letter, rejected_at=Timestamp(letter.rejected_at + DAY))])
    redriven = replace(letter, redriven_at=Timestamp(77))
    assert await engine.dead_letters.get(letter.dead_letter_id) == redriven
    until = DeadLetterPosition(Timestamp(letter.rejected_at + 2 * DAY), DeadLetterId(""))
    listed = [
        each for each in await engine.dead_letters.list(until, 1_000) if each.dead_letter_id == redriven.dead_letter_id
    ]
    assert listed == [redriven]


async def test_a_letter_that_is_not_there_is_not_redriven(engine: Engine) -> None:
    """Noting it makes no letter."""
    unknown = DeadLetterId(str(uuid.uuid4()))
    await engine.dead_letters.mark_redriven(unknown, NOW)
    assert await engine.dead_letters.get(unknown) is None


async def test_pages_go_from_new_to_old(engine: Engine) -> None:
    """The pages give every letter once, newest first, over many days and letters of one moment; the first page
    begins with the newest."""
    # In years to come, so that letters of other tests, which share the engine, are older than all of these.
    begin = NOW + random.randrange(1_000, 1_000_000) * 10 * DAY
    letters = [new_letter(begin + offset) for offset in (0, 1, 1, 1, DAY, DAY + 1, 5 * DAY)]
    await engine.dead_letters.put(letters)
    newest_first = sorted(letters, key=position, reverse=True)
    for size in (1, 2, 3, 10):
        before: DeadLetterPosition | None = DeadLetterPosition(Timestamp(begin + 6 * DAY), DeadLetterId(""))
        found: list[DeadLetter] = []
        while len(found) < len(letters):
            page = await engine.dead_letters.list(before, size)
            found += page
            assert len(page) == size or len(found) >= len(letters)
            before = position(page[-1])
        assert found[: len(letters)] == newest_first
    first = await engine.dead_letters.list(None, 5)
    assert len(first) == 5
    assert [position(each) for each in first] == sorted(map(position, first), reverse=True)

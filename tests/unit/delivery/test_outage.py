"""A connector in virtual time whose channel answers with trouble of its own."""

import asyncio
from collections.abc import Awaitable, Callable

from connector_world import ConnectorWorld, now
from prometheus_client.exposition import generate_latest
from scripted_channel import ScriptedAccount, Told
from virtual_time import run_in_virtual_time

from chat4all_channels.outcome import Outcome, RetryAfter, Scope

TROUBLE = RetryAfter(0, Scope.CHANNEL, "131000", "something went wrong")
OUTAGE = 1_800.0


def test_a_channel_in_trouble_is_left_alone() -> None:
    """Once several people heard of trouble the account is paused and asks rarely; soon after it is over, everybody's
    messages go out in order, none of them put aside."""
    run_in_virtual_time(_outage(people=50))


def test_a_few_people_do_not_wait_long_after_trouble() -> None:
    """Where they are too few to tell trouble from a bad message, their own waits end soon after it, however long it
    was."""
    run_in_virtual_time(_outage(people=2))


def test_trouble_with_one_person_pauses_nobody_else() -> None:
    """A person with whom the channel always has trouble is tried again and again, and those who are written to
    meanwhile hear at once."""
    run_in_virtual_time(_one_person_in_trouble())


async def _outage(people: int) -> None:
    account = ScriptedAccount(now, answer=_in_trouble(lambda told: told.at < OUTAGE))
    world = ConnectorWorld(account)
    for number in range(10 * people):
        await world.request(f"+{number % people}")
    running = asyncio.create_task((connector := world.connector()).run())
    await asyncio.sleep(OUTAGE / 2)
    is_paused = 'chat4all_channel_accounts{channel="whatsapp",state="paused"} 1.0' in _metrics(world)
    assert is_paused == (people > 5)
    connector.stop()
    await running
    assert len(account.calls) < 200
    await world.run_to_the_end()
    assert 'chat4all_channel_accounts{channel="whatsapp",state="open"} 1.0' in _metrics(world)
    assert max(told.at for told in account.accepted) < OUTAGE + 90
    for number in range(people):
        heard = [int(told.text) for told in account.accepted if told.to == f"+{number}"]
        assert heard == list(range(number + 1, 10 * people + 1, people))


async def _one_person_in_trouble() -> None:
    account = ScriptedAccount(now, answer=_in_trouble(lambda told: told.to == "+1"))
    world = ConnectorWorld(account)
    await world.request("+1")
    running = asyncio.create_task((connector := world.connector()).run())
    asked: list[float] = []
    for number in range(20):
        await asyncio.sleep(150)
        await world.request(f"+2{number}")
        asked.append(now())
    await asyncio.sleep(150)
    heard = [told.at for told in account.accepted]
    assert len([told for told in account.calls if told.to == "+1"]) > 20
    assert all(at - since < 5 for at, since in zip(heard, asked, strict=True))
    connector.stop()
    await running


def _in_trouble(when: Callable[[Told], bool]) -> Callable[[Told], Awaitable[Outcome | None]]:
    async def answer(told: Told) -> Outcome | None:
        return TROUBLE if when(told) else None

    return answer


def _metrics(world: ConnectorWorld) -> str:
    return generate_latest(world.registry).decode()

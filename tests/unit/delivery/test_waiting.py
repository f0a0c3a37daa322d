"""What has to wait, where it waits, and whom it does not hold up; in virtual time."""

import asyncio
from functools import partial

from connector_world import ConnectorWorld, clock, now
from scripted_channel import CHANNEL, ScriptedAccount, Told, answering, by_person
from virtual_time import virtual

from chat4all_channels.channel import Limits
from chat4all_channels.outcome import AccountRefused, Outcome, RetryAfter, Scope, Undecided
from chat4all_core.domain.channel import AccountId, ChannelAddress
from chat4all_core.domain.delivery import DeliveryFailure
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.ports.rate_limiter import RateLimit
from chat4all_workers.delivery.load import Bounds


@virtual
async def test_an_account_that_is_to_slow_down_tells_nothing_meanwhile() -> None:
    """After the channel asked the account to wait, nothing is told until then; then one call tries, and the others
    follow."""
    account = ScriptedAccount(now, answer=answering({"2": [RetryAfter(60, Scope.ACCOUNT, "130429", "throughput")]}))
    world = ConnectorWorld(account, partitions=1)
    for number in range(30):
        await world.request(f"+{number}")
    await world.run_to_the_end()
    assert not [told for told in account.calls if 1 < told.at < 60]
    assert len(account.accepted) == 30


@virtual
async def test_a_channel_that_is_silent_is_left_alone() -> None:
    """After a few calls without an answer the rest waits, so that few messages are UNKNOWN; each of those is told once;
    when the channel answers again, the others go out in order."""

    async def silent_at_first(told: Told) -> Outcome | None:
        await asyncio.sleep(1)
        return Undecided("no answer") if told.at < 100 else None

    account = ScriptedAccount(now, answer=silent_at_first)
    world = ConnectorWorld(account)
    for number in range(900):
        await world.request(f"+{number % 90}")
    await world.run_to_the_end()
    unknown = {each.sequence for each in world.evidence() if each.state is DeliveryState.UNKNOWN}
    assert len(unknown) < 50  # those under way when the first were found to stay unanswered, and a few probes
    assert len(account.calls) == 900
    assert {int(told.text) for told in account.accepted} == set(range(1, 901)) - unknown
    assert all(texts == sorted(texts, key=int) for texts in by_person(account.accepted).values())


@virtual
async def test_an_account_that_is_refused_waits_for_somebody() -> None:
    """An account whose token is wrong asks rarely, loses nothing, and goes on by itself once it is let in."""
    refused = AccountRefused(DeliveryFailure("190", "token expired", "a new token"))

    async def locked_out(told: Told) -> Outcome | None:
        return refused if told.at < 3_600 else None

    account = ScriptedAccount(now, answer=locked_out)
    world = ConnectorWorld(account)
    for number in range(500):
        await world.request(f"+{number % 50}")
    running = asyncio.create_task((connector := world.connector()).run())
    await asyncio.sleep(1_800)
    assert 'chat4all_channel_accounts{channel="whatsapp",state="stopped"} 1.0' in world.metrics()
    connector.stop()
    await running
    assert len(account.calls) < 100  # those under way when the first was refused, and a try now and then
    assert world.evidence() == []
    await asyncio.sleep(1_800)
    await world.run_to_the_end()
    assert len(account.accepted) == 500
    assert all(texts == sorted(texts, key=int) for texts in by_person(account.accepted).values())


@virtual
async def test_other_accounts_go_on() -> None:
    """People who wrote to another account hear from that one, also while the first one is locked out."""
    refused = AccountRefused(DeliveryFailure("190", "token expired", "a new token"))

    async def locked_out(_told: Told) -> Outcome:
        return refused

    first, second = ScriptedAccount(now, answer=locked_out), ScriptedAccount(now, account_id="second")
    world = ConnectorWorld(first, second)
    for number in range(100):
        await world.contacts.received(ChannelAddress(CHANNEL, f"+{number}"), AccountId("second"), "", clock())
        await world.request(f"+{number}")
        await world.request(f"+9{number:03}")
    await world.run_until(lambda: len(second.accepted) == 100, world.connector())
    assert not first.accepted


@virtual
async def test_an_account_that_is_closed_takes_up_nobody_s_room() -> None:
    """More waits for an account that is locked out, or whose channel is away, than is held in memory or may be read
    ahead: everybody who hears from another account gets all of theirs within seconds. What waits survives the
    process, and is told once and in order when the account is let in."""
    hour = 3_600.0
    refused = AccountRefused(DeliveryFailure("190", "token expired", "a new token"))
    for outcome in (refused, RetryAfter(0, Scope.ACCOUNT, "NO_CONNECTION", "refused")):
        start = now()

        async def closed(told: Told, start: float = start, outcome: Outcome = outcome) -> Outcome | None:
            return outcome if told.at < start + hour else None

        first, second = ScriptedAccount(now, answer=closed), ScriptedAccount(now, account_id="second")
        world, bounds = ConnectorWorld(first, second), Bounds(ahead=100, jobs=50)
        for number in range(600):
            await world.request(f"+9{number % 200:03}")
        for number in range(100):
            await world.contacts.received(ChannelAddress(CHANNEL, f"+{number}"), AccountId("second"), "", clock())
            await world.request(f"+{number}")
        await world.run_until(partial(_has_accepted, second, 100), world.connector(bounds=bounds), hours=0.1)
        assert not first.accepted
        await world.run_to_the_end(world.connector(bounds=bounds), hours=2)
        assert len(first.accepted) == 600
        assert all(texts == sorted(texts, key=int) for texts in by_person(first.accepted).values())
        assert {each.state for each in world.evidence()} == {DeliveryState.SENT}


@virtual
async def test_a_person_who_gets_more_than_they_may_takes_up_nobody_s_room() -> None:
    """Far more to one person than is held in memory, at one in 6 seconds, holds up nobody else for longer than a few
    of them take, and is told in order, also by another process."""
    account = ScriptedAccount(now, limits=Limits(RateLimit(1_000, 1_000), RateLimit(1 / 6, 2)))
    world, bounds = ConnectorWorld(account, partitions=1), Bounds(ahead=100, jobs=50, of_one=10)
    for _ in range(500):
        await world.request("+1")
    for number in range(50):
        await world.request(f"+2{number}")

    def others_have_all() -> bool:
        return len([told for told in account.accepted if told.to != "+1"]) == 50

    await world.run_until(others_have_all, world.connector(bounds=bounds), hours=0.1)
    await world.request("+1")
    await world.run_to_the_end(world.connector(bounds=bounds), hours=2)
    assert [int(told.text) for told in account.accepted if told.to == "+1"] == [*range(1, 501), 551]


@virtual
async def test_long_waits_are_put_aside_in_order() -> None:
    """A person who must wait for long waits outside of the log, which is committed; what comes meanwhile waits too,
    also for another process, and all goes out in order when the time is over."""
    hour = 3_600.0
    account = ScriptedAccount(now, answer=answering({"1": [RetryAfter(hour, Scope.RECIPIENT, "131049", "later")]}))
    world = ConnectorWorld(account)
    for to in ("+1", "+1", "+2"):
        await world.request(to)
    await world.run_until(world.is_all_committed, world.connector())
    assert by_person(account.accepted) == {"+2": ["3"]}
    await world.request("+1")
    await world.run_until(world.is_all_committed, world.connector())
    assert by_person(account.accepted) == {"+2": ["3"]}
    await world.run_to_the_end()
    assert by_person(account.accepted) == {"+2": ["3"], "+1": ["1", "2", "4"]}
    assert hour < account.accepted[-1].at < hour + 60
    assert [each.sequence for each in world.evidence() if each.recipient.endswith("+1")] == [1, 2, 4]


@virtual
async def test_memory_is_bounded() -> None:
    """No more deliveries are held than allowed, nor is reading further ahead than allowed, while one person's stay
    unfinished; all others go out all the same."""
    account = ScriptedAccount(now, answer=answering({"1": [RetryAfter(500, Scope.RECIPIENT, "1", "busy")] * 3}))
    world = ConnectorWorld(account, partitions=1)
    for number in range(1_000):
        await world.request(f"+{number}")
    connector = world.connector(bounds=Bounds(ahead=100, jobs=50))
    running = asyncio.create_task(connector.run())
    await asyncio.sleep(400)
    told = len(account.accepted)
    assert 50 <= told <= 150
    connector.stop()
    await running
    await world.run_to_the_end(world.connector(bounds=Bounds(ahead=100, jobs=50)))
    assert len(account.accepted) == 1_000


def _has_accepted(account: ScriptedAccount, number: int) -> bool:
    return len(account.accepted) == number

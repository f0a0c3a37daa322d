"""Connectors in virtual time: order, limits, retries, waiting."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any

from connector_world import TOPIC, ConnectorWorld, clock, now
from prometheus_client.exposition import generate_latest
from scripted_channel import CHANNEL, ScriptedAccount, Told, capabilities
from virtual_time import run_in_virtual_time

from chat4all_channels.channel import Limits
from chat4all_channels.opaque import from_opaque
from chat4all_channels.outcome import AccountRefused, Outcome, Refused, RetryAfter, Scope, Undecided
from chat4all_core.domain.channel import AccountId, ChannelAddress, ProviderId
from chat4all_core.domain.delivery import DeliveryFailure
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.file import Attachment
from chat4all_core.domain.ids import FileId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.event_log import CHANNEL_RECEIVED, DEAD_LETTER, STATUS_UPDATED
from chat4all_core.ports.provider_messages import ProviderMessage
from chat4all_core.ports.rate_limiter import RateLimit
from chat4all_workers.dead_letter import from_record
from chat4all_workers.delivery.load import Bounds

FAILURE = DeliveryFailure("131026", "not on the network", "ask for another number")


def virtual(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """A test that runs in virtual time."""

    def run() -> None:
        run_in_virtual_time(test())

    run.__doc__, run.__name__ = test.__doc__, test.__name__
    return run


def answering(outcomes: dict[str, list[Outcome | None]]) -> Callable[[Told], Awaitable[Outcome | None]]:
    """Answers calls with these texts in turn, and accepts all others."""

    async def answer(told: Told) -> Outcome | None:
        return outcomes[told.text].pop(0) if outcomes.get(told.text) else None

    return answer


def by_person(told: list[Told]) -> dict[str, list[str]]:
    """The texts that each heard."""
    heard: dict[str, list[str]] = defaultdict(list)
    for each in told:
        heard[each.to].append(each.text)
    return heard


@virtual
async def test_each_message_is_told_once_in_order() -> None:
    """Every person hears their messages once and in order, and all are said to be sent, with the channel's ids."""
    world = ConnectorWorld()
    for number in range(60):
        await world.request(f"+{number % 7}")
    await world.run_to_the_end()
    assert {to: texts == sorted(texts, key=int) for to, texts in by_person(world.account.accepted).items()} == {
        f"+{number}": True for number in range(7)
    }
    assert len(world.account.calls) == 60
    evidence = world.evidence()
    assert {each.state for each in evidence} == {DeliveryState.SENT}
    assert len({each.provider_id for each in evidence}) == len({each.sequence for each in evidence}) == 60


@virtual
async def test_a_person_who_must_wait_holds_nobody_up() -> None:
    """A channel's wish to wait for one person is kept to the second, before that person's next message too, and
    everybody else's go out meanwhile."""
    again = RetryAfter(100, Scope.RECIPIENT, "131056", "too many to one person")
    account = ScriptedAccount(now, answer=answering({"1": [again, again]}))
    world = ConnectorWorld(account)
    for to in ("+1", "+1", "+2", "+3", "+1"):
        await world.request(to)
    await world.run_to_the_end()
    assert [(told.to, told.text) for told in account.accepted] == [
        *(("+2", "3"), ("+3", "4"), ("+1", "1"), ("+1", "2"), ("+1", "5"))
    ]
    assert [round(told.at) for told in account.calls if told.text == "1"] == [0, 100, 200]


@virtual
async def test_the_pauses_grow_where_the_channel_names_none() -> None:
    """Each pause before the next try is longer than the one before, until the message is taken."""
    account = ScriptedAccount(now, answer=answering({"1": [RetryAfter(0, Scope.RECIPIENT, "1", "busy")] * 6}))
    world = ConnectorWorld(account)
    await world.request("+1")
    await world.run_to_the_end()
    times = [told.at for told in account.calls]
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(pauses) == 6
    assert pauses == sorted(pauses)
    assert 20 < pauses[-1] < 60


@virtual
async def test_the_account_s_rate_is_used_and_kept() -> None:
    """With more to say than the account may, it says as much as it may, never more in any second, also to many people
    at once."""
    account = ScriptedAccount(now, limits=Limits(RateLimit(80, 16), RateLimit(1_000, 1_000)))
    world = ConnectorWorld(account)
    for number in range(808):
        await world.request(f"+{number % 200}")
    await world.run_to_the_end()
    times = [told.at for told in account.accepted]
    assert times[-1] <= 10 / 0.95  # seconds that 800 take, for the first 8 take none
    windows = zip(times, times[88:], strict=False)  # 8 at once, and 80 in the second after
    assert all(later - earlier >= 0.999 for earlier, later in windows)


@virtual
async def test_a_person_s_limit_is_kept() -> None:
    """One message in 6 seconds to one person after a burst, whatever the account may say to others."""
    account = ScriptedAccount(now, limits=Limits(RateLimit(1_000, 1_000), RateLimit(1 / 6, 4)))
    world = ConnectorWorld(account)
    for number in range(10):
        await world.request("+1")
        await world.request(f"+2{number}")
    await world.run_to_the_end()
    assert [round(told.at) for told in account.accepted if told.to == "+1"] == [0, 0, 0, 6, 12, 18, 24, 30, 36, 42]
    assert max(told.at for told in account.accepted if told.to != "+1") < 1


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
    assert len(unknown) < 120  # those under way when the first were found to stay unanswered, and a few probes
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
    assert 'chat4all_channel_accounts{channel="whatsapp",state="stopped"} 1.0' in _metrics(world)
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
async def test_what_is_refused_for_good_is_a_dead_letter() -> None:
    """It is FAILED with the channel's code and a remedy, lies with its history among the dead letters, and the
    person's next message goes out."""
    account = ScriptedAccount(
        now, answer=answering({"1": [RetryAfter(1, Scope.RECIPIENT, "131000", "hiccup"), Refused(FAILURE)]})
    )
    world = ConnectorWorld(account)
    delivery = await world.request("+1")
    await world.request("+1")
    await world.run_to_the_end()
    failed, sent = world.evidence()
    assert (failed.state, failed.failure) == (DeliveryState.FAILED, FAILURE)
    assert sent.state is DeliveryState.SENT
    (record,) = world.log.all(DEAD_LETTER)
    letter = from_record(record)
    assert (letter.code, letter.reason, letter.remedy) == (FAILURE.code, FAILURE.reason, FAILURE.remedy)
    assert [event.what for event in letter.history] == ["131000: hiccup"]
    assert (letter.topic, letter.key, world.codec.decode_delivery(letter.value)) == (TOPIC, "+1", delivery)


@virtual
async def test_a_record_that_can_t_be_read_is_a_dead_letter() -> None:
    """It is rejected with the reason, and holds up nobody, not even the person whose key it has."""
    world = ConnectorWorld()
    await world.log.append(TOPIC, "+1", b"\xff")
    await world.request("+1")
    await world.run_to_the_end()
    letters = [from_record(record) for record in world.log.all(DEAD_LETTER)]
    assert [(letter.topic, letter.value, letter.code) for letter in letters] == [(TOPIC, b"\xff", "UNREADABLE")]
    assert len(world.account.accepted) == 1


@virtual
async def test_too_many_dead_letters_stop_their_partition() -> None:
    """A release that fails with everything does not empty a topic: after some dead letters in a row the partition
    stands, and a process that can do better goes on from there."""
    world = ConnectorWorld(partitions=1)
    for number in range(50):
        await world.log.append(TOPIC, f"+{number}", b"\xff")
    connector = world.connector(max_rejections=10)
    running = asyncio.create_task(connector.run())
    await asyncio.sleep(600)
    connector.stop()
    await running
    assert len(world.log.all(DEAD_LETTER)) < 50
    assert not world.is_all_committed()
    await world.run_to_the_end()
    assert len({record.value for record in world.log.all(DEAD_LETTER)}) == 1
    assert len({from_record(record).dead_letter_id for record in world.log.all(DEAD_LETTER)}) == 50


@virtual
async def test_only_a_template_reaches_those_who_have_not_written_lately() -> None:
    """A closed window that is known beforehand costs no refusal; one that the channel tells of does, once. Without a
    template the message fails."""
    window = capabilities(window=timedelta(hours=24))
    account = ScriptedAccount(now, capabilities=window, has_template=True)
    closed = Refused(DeliveryFailure("131047", "window closed", "use a template"), window_closed=True)
    account.answer = answering({"2": [closed]})
    world = ConnectorWorld(account)
    await world.contacts.received(
        ChannelAddress(CHANNEL, "+1"), account.account_id, "", Timestamp(-25 * 3_600 * SECOND)
    )
    for to in ("+1", "+2"):
        await world.request(to)
    await world.run_to_the_end()
    assert sorted((told.to, told.kind) for told in account.calls) == [
        *(("+1", "template"), ("+2", "template"), ("+2", "text"))
    ]
    account.has_template = False
    account.answer = answering({"3": [closed]})
    await world.request("+3")
    await world.run_to_the_end()
    assert [each.failure for each in world.evidence() if each.sequence == 3] == [closed.failure]


@virtual
async def test_long_texts_and_files_go_in_parts() -> None:
    """A long text goes as several messages; a file that the channel takes goes with its caption; another one as a
    link. Reports lead back to the delivery from each part, and say which is the last."""
    account = ScriptedAccount(now, takes_up_to=100)
    world = ConnectorWorld(account)
    text = "one two three four five six seven eight nine ten"
    small, large = (
        Attachment(FileId(name), f"{name}.txt", size, "text/plain", "") for name, size in (("s", 3), ("l", 999))
    )
    await world.request("+1", text)
    await world.request("+1", "see", file=small)
    await world.request("+1", "see", file=large)
    await world.run_to_the_end()
    told = [each.text for each in account.accepted]
    assert " ".join(told[:2]) == text
    assert told[2:] == ["see|xxx", "see", "l.txt (999 B)\nhttps://files/l"]
    references = [from_opaque(each.envelope.opaque) for each in account.accepted]
    assert [(r.sequence, r.is_last) for r in references if r] == [
        (1, False),
        (1, True),
        (2, True),
        (3, False),
        (3, True),
    ]
    assert len(world.evidence()) == 3


@virtual
async def test_a_text_that_can_t_be_split_is_refused_clearly() -> None:
    """Where a channel takes no longer text in parts, nothing of it is told."""
    account = ScriptedAccount(now, capabilities=capabilities(splits_text=False))
    world = ConnectorWorld(account)
    await world.request("+1", "x" * 41)
    await world.run_to_the_end()
    (failed,) = world.evidence()
    assert failed.failure is not None
    assert failed.failure.code == "TEXT_TOO_LONG"
    assert account.calls == []


@virtual
async def test_early_reports_go_their_way_again() -> None:
    """Reports that came before the channel's answer are appended again once the message is known, and forgotten."""
    world = ConnectorWorld()
    message = ProviderMessage(CHANNEL, world.account.account_id, ProviderId("account.1"))
    await world.provider_messages.park(message, b"report")
    await world.request("+1")
    await world.run_to_the_end()
    assert [(r.key, r.value) for r in world.log.all(CHANNEL_RECEIVED)] == [("whatsapp:+1", b"report")]
    assert not world.provider_messages.parked[message]


@virtual
async def test_answers_belong_where_a_person_was_last_written_to() -> None:
    """Before a message is told, its conversation is where the person's answers go; what is no message changes
    nothing, and nobody hears of its state."""
    world = ConnectorWorld()
    to = ChannelAddress(CHANNEL, "+1")
    conversations = []

    async def answer(_told: Told) -> None:
        conversations.append(world.contacts.contacts[to].conversation_id)

    world.account.answer = answer
    for conversation_id in ("a", "b"):
        await world.request("+1", conversation_id=conversation_id)
    await world.request("+1", sequence=0, conversation_id="")
    await world.run_to_the_end()
    assert conversations == ["a", "b", "b"]
    assert len(world.log.all(STATUS_UPDATED)) == 2


@virtual
async def test_a_reply_names_what_it_answers() -> None:
    """A message that answers one which went to the same person by the same account refers to it."""
    world = ConnectorWorld()
    first = await world.request("+1")
    await world.request("+1", reply_to=first.message_id)
    await world.request("+1", reply_to="message 77")
    await world.run_to_the_end()
    assert [told.envelope.reply_to for told in world.account.accepted] == [None, "account.1", None]


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


def _metrics(world: ConnectorWorld) -> str:
    return generate_latest(world.registry).decode()

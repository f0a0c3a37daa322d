"""Connectors in virtual time: order, limits, retries, what is told."""

import asyncio
import itertools
from datetime import timedelta

from connector_world import ConnectorWorld, clock, now
from delivery_memory import MemoryLedger
from scripted_channel import CHANNEL, ScriptedAccount, Told, answering, by_person, capabilities
from virtual_time import virtual

from chat4all_channels.channel import Limits
from chat4all_channels.opaque import from_opaque
from chat4all_channels.outcome import Refused, RetryAfter, Scope
from chat4all_core.domain.channel import ChannelAddress, ProviderId
from chat4all_core.domain.delivery import DeliveryFailure
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.file import Attachment
from chat4all_core.domain.ids import FileId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.delivery_ledger import Claim, LedgerKey, Settlement
from chat4all_core.ports.event_log import CHANNEL_RECEIVED, STATUS_UPDATED
from chat4all_core.ports.provider_messages import ProviderMessage
from chat4all_core.ports.rate_limiter import RateLimit


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
async def test_the_rate_is_kept_when_an_engine_stands_still() -> None:
    """Calls that a slow ledger let gather go out no quicker than the account may, and the rate is used all the same."""
    account = ScriptedAccount(now, limits=Limits(RateLimit(80, 16), RateLimit(1_000, 1_000)))
    world = ConnectorWorld(account)
    world.ledger = _StallingLedger()
    for number in range(808):
        await world.request(f"+{number % 200}")
    await world.run_to_the_end()
    times = [told.at for told in account.accepted]
    assert times[-1] <= 12  # 10 seconds, and one of standing still before the first and before the last
    windows = zip(times, times[88:], strict=False)
    assert all(later - earlier >= 0.999 for earlier, later in windows)


class _StallingLedger(MemoryLedger):
    """Takes all claims of a second at its end."""

    async def claim(self, key: LedgerKey, claim: Claim) -> Claim | Settlement | None:
        await asyncio.sleep(1 - now() % 1)
        return await super().claim(key, claim)


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
async def test_strangers_get_the_template_at_once_where_it_is_to_be() -> None:
    """An account that is told so writes by the template to people who never wrote, and freely to those who have, where
    the window counts."""
    window = capabilities(window=timedelta(hours=24))
    account = ScriptedAccount(now, capabilities=window, has_template=True, template_first=True)
    world = ConnectorWorld(account)
    await world.contacts.received(ChannelAddress(CHANNEL, "+2"), account.account_id, "", clock())
    for to in ("+1", "+2"):
        await world.request(to)
    await world.run_to_the_end()
    assert sorted((told.to, told.kind) for told in account.calls) == [("+1", "template"), ("+2", "text")]


@virtual
async def test_a_file_goes_as_a_link_by_the_template() -> None:
    """Outside the window a file that the channel would take goes as a link, with its text, in the template."""
    window = capabilities(window=timedelta(hours=24), max_text=100)
    account = ScriptedAccount(now, capabilities=window, has_template=True, template_first=True, takes_up_to=100)
    world = ConnectorWorld(account)
    await world.request("+1", "see", file=Attachment(FileId("f"), "a.pdf", 100, "application/pdf", ""))
    await world.run_to_the_end()
    [told] = account.calls
    assert (told.kind, told.text) == ("template", "see\na.pdf (100 B)\nhttps://files/f")


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

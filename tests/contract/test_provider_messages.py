"""ProviderMessages: from a channel's id to the delivery, whichever comes first."""

import asyncio
import uuid

from engine_under_test import EngineUnderTest

from chat4all_core.domain.channel import AccountId, ChannelName, ProviderId
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.provider_messages import DeliveryReference, ProviderMessage

REFERENCE = DeliveryReference(ConversationId("c"), MessageId("m"), 7, ParticipantId("p"), attempt=2, is_last=False)


def new_message(account: str = "account") -> ProviderMessage:
    """That nobody knows."""
    return ProviderMessage(ChannelName("whatsapp"), AccountId(account), ProviderId(f"wamid.{uuid.uuid4()}"))


async def test_a_message_leads_to_its_delivery(under_test: EngineUnderTest) -> None:
    """What was put is found, also when the engine is opened again; other accounts and ids lead nowhere."""
    message = new_message()
    async with under_test.open() as engine:
        assert await engine.provider_messages.find(message) is None
        assert list(await engine.provider_messages.put(message, REFERENCE)) == []
    async with under_test.open() as engine:
        assert await engine.provider_messages.find(message) == REFERENCE
        other = ProviderMessage(message.channel, AccountId("other"), message.provider_id)
        assert await engine.provider_messages.find(other) is None


async def test_reports_wait_for_their_message(under_test: EngineUnderTest) -> None:
    """Reports that come first are given to whoever puts the message, each once however often it came, and again
    until they are forgotten."""
    message = new_message()
    async with under_test.open() as engine:
        for report in (b"one", b"two", b"one"):
            assert await engine.provider_messages.park(message, report) is None
        assert await engine.provider_messages.find(message) is None
    async with under_test.open() as engine:
        for _ in range(2):
            assert sorted(await engine.provider_messages.put(message, REFERENCE)) == [b"one", b"two"]
        await engine.provider_messages.forget_parked(message)
        assert list(await engine.provider_messages.put(message, REFERENCE)) == []
        assert await engine.provider_messages.find(message) == REFERENCE


async def test_a_report_that_comes_later_is_its_bringer_s(engine: Engine) -> None:
    """Once the message is known, parking gives its delivery and keeps nothing."""
    message = new_message()
    await engine.provider_messages.put(message, REFERENCE)
    assert await engine.provider_messages.park(message, b"late") == REFERENCE
    assert list(await engine.provider_messages.put(message, REFERENCE)) == []


async def test_no_report_is_overlooked(engine: Engine) -> None:
    """When a report and its message come at the same time, one of the two sees the other."""
    for _ in range(50):
        message = new_message()
        reference, parked = await asyncio.gather(
            engine.provider_messages.park(message, b"report"), engine.provider_messages.put(message, REFERENCE)
        )
        assert reference == REFERENCE or list(parked) == [b"report"]

"""ContactStore: what is known of people on channels."""

from dataclasses import replace

from engine_under_test import EngineUnderTest, unique

from chat4all_core.domain.channel import AccountId, ChannelAddress, ChannelName
from chat4all_core.domain.ids import ConversationId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.contact_store import Contact
from chat4all_core.ports.engine import Engine

ONE, OTHER = AccountId("one"), AccountId("other")
EARLY, LATE = Timestamp(1_700_000_000_000_000), Timestamp(1_700_000_000_000_001)


def new_address() -> ChannelAddress:
    """Somebody whom no other test knows."""
    return ChannelAddress(ChannelName("whatsapp"), unique("+55"))


async def test_a_person_is_known_once_they_have_written(under_test: EngineUnderTest) -> None:
    """Account, name and time of a person's message are read back, also after the engine is opened again."""
    address = new_address()
    async with under_test.open() as engine:
        assert await engine.contacts.get(address) is None
        await engine.contacts.received(address, ONE, "Zoé", EARLY)
    async with under_test.open() as engine:
        assert await engine.contacts.get(address) == Contact(address, ONE, None, "Zoé", EARLY)


async def test_the_newest_message_counts(engine: Engine) -> None:
    """A message that is told late changes nothing, one without a name leaves the name, and the same again nothing."""
    address = new_address()
    await engine.contacts.received(address, OTHER, "Zoé", LATE)
    await engine.contacts.received(address, ONE, "Zoe", EARLY)
    await engine.contacts.received(address, OTHER, "", LATE)
    assert await engine.contacts.get(address) == Contact(address, OTHER, None, "Zoé", LATE)


async def test_a_persons_conversation_is_the_last_one_set(engine: Engine) -> None:
    """The conversation may be set before the person has ever written, and leaves the rest as it is."""
    address = new_address()
    await engine.contacts.set_conversation(address, ConversationId("first"))
    known = await engine.contacts.get(address)
    assert known == Contact(address, conversation_id=ConversationId("first"))
    await engine.contacts.received(address, ONE, "Zoé", EARLY)
    await engine.contacts.set_conversation(address, ConversationId("second"))
    expected = Contact(address, ONE, ConversationId("second"), "Zoé", EARLY)
    assert await engine.contacts.get(address) == expected
    other = replace(address, channel=ChannelName("telegram"))
    assert await engine.contacts.get(other) is None

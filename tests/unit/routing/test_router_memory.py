"""What the router keeps in memory."""

import random
from collections.abc import Sequence
from typing import cast

from routing_simulation import Engines

from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.app.members import MembersOfVersions
from chat4all_core.app.route_messages import RouteMessages
from chat4all_core.domain.conversation import MAX_PARTICIPANTS, Conversation, ConversationType, Participation, Role
from chat4all_core.domain.fold import Entry
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId, UserId
from chat4all_core.domain.message import AcceptedMessage
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.message_store import MessageStore
from chat4all_core.ports.receipt_store import ReceiptStore
from chat4all_core.ports.user_stream import StreamAppend, UserStream

ANN = UserId(ParticipantId("ann"))
MEMBERS = [ParticipantId(f"member-{number}") for number in range(MAX_PARTICIPANTS)]


class LargeGroup(Engines):
    """One conversation with as many members as there can be, and with any number of versions."""

    def __init__(self) -> None:
        super().__init__(random.Random(0))
        self.read_versions: list[int] = []

    async def get(self, conversation_id: ConversationId, at_least_version: int = 0) -> Conversation:
        self.read_versions.append(at_least_version)
        members = tuple(Participation(member, Role.MEMBER, 1, None, 0) for member in MEMBERS)
        return Conversation(conversation_id, ConversationType.GROUP, "", ANN, Timestamp(0), at_least_version, members)

    async def append(self, appends: Sequence[StreamAppend]) -> None:
        """Streams are no matter here."""


async def test_members_of_many_versions_are_forgotten() -> None:
    """A large group that changes again and again does not fill the memory: the members of its first version were let go
    of when some hundreds of others have come, and are read again."""
    group = LargeGroup()
    route = RouteMessages(
        messages=cast(MessageStore, group),
        receipts=cast(ReceiptStore, group),
        conversations=cast(ConversationStore, group),
        streams=cast(UserStream, group),
        request_deliveries=group.request_deliveries,
        codec=ProtobufEventCodec(),
    )
    for offset, version in enumerate([*range(1, 400), 1]):
        message = AcceptedMessage(MessageId(f"m{offset}"), ConversationId("c"), ANN, "hi", Timestamp(0), version)
        await route([Entry(message, Source(1, 0, offset))])
    assert group.read_versions.count(1) == 2


async def test_members_of_a_batch_are_read_together() -> None:
    """The members of many conversations of one batch are asked for at once, and only what was too old so by itself."""
    group = LargeGroup()
    members = MembersOfVersions(cast(ConversationStore, group))
    conversations = [ConversationId(f"c{number}") for number in range(5)]
    await members.learn({(conversation, 0) for conversation in conversations})
    assert len(group.read_versions) == 5
    for conversation in conversations:
        await members(conversation, 0)
    assert len(group.read_versions) == 5
    await members(conversations[0], 7)
    assert group.read_versions[5:] == [7]

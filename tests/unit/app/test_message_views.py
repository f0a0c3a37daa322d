"""States of messages, from those of their recipients."""

from collections.abc import Collection, Mapping, Sequence

import pytest
from message_rows import message_rows, new_conversation, user

from chat4all_channels.registry import REGISTRY
from chat4all_core.app.message_view import MessageViews, Way
from chat4all_core.domain.channel import ChannelName
from chat4all_core.domain.conversation import Conversation, ConversationType, Participation, Role
from chat4all_core.domain.delivery import DeliveryEvidence
from chat4all_core.domain.delivery_state import Cursor, DeliveryState
from chat4all_core.domain.ids import ConversationId, ParticipantId
from chat4all_core.domain.timestamp import Timestamp

SENT, DELIVERED, READ = DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.READ
FAILED, UNKNOWN = DeliveryState.FAILED, DeliveryState.UNKNOWN
CHANNELS = [registration.channel.capabilities for registration in REGISTRY.values()]
BEA = ParticipantId("whatsapp:+5511987654321")


class NotedStates:
    """A store of nothing, which notes what is asked."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    async def record(self, evidence: Sequence[DeliveryEvidence]) -> None:
        raise AssertionError("views record nothing")

    async def evidence(
        self, conversation_id: ConversationId, sequences: Collection[int]
    ) -> Mapping[int, Sequence[DeliveryEvidence]]:
        self.asked += sequences
        return {}


def group(conversation_id: ConversationId, *participants: ParticipantId) -> Conversation:
    """A conversation to which the last one was added later."""
    stays = [Participation(p, Role.MEMBER, 1, None, 0) for p in participants[:-1]]
    stays.append(Participation(participants[-1], Role.MEMBER, 2, None, 0))
    return Conversation(conversation_id, ConversationType.GROUP, "", user("a"), Timestamp(0), 2, tuple(stays))


async def test_only_messages_that_go_to_a_channel_are_looked_up() -> None:
    """What channels told is not asked for of messages whose recipients are users."""
    conversation_id = new_conversation()
    rows = message_rows(conversation_id, range(1, 21))
    conversation = group(conversation_id, user("ann"), user("ben"), BEA)
    states = NotedStates()
    views = await MessageViews(states, CHANNELS).views(conversation, {user("ben"): Cursor(7, 3)}, rows)
    assert states.asked == []
    assert [view.stored for view in views] == rows
    assert [view.read_count for view in views] == [1] * 3 + [0] * 17


def way(name: str, state: DeliveryState, *, taken: bool = True) -> Way:
    """Of somebody on a channel, or of a user where no channel is named."""
    person, _, channel = name.partition("@")
    return Way(ParticipantId(person), ChannelName(channel) if channel else None, state, None, taken)


@pytest.mark.parametrize(
    ("ways", "state", "delivered", "read"),
    [
        ([], SENT, 0, 0),
        ([way("ann", DELIVERED), way("ben", READ)], DELIVERED, 2, 1),
        ([way("bea@whatsapp", READ), way("cai@whatsapp", FAILED)], FAILED, 1, 1),
        ([way("bea@whatsapp", READ), way("cai@whatsapp", UNKNOWN)], UNKNOWN, 1, 1),
        ([way("bea@whatsapp", READ), way("cai@whatsapp", SENT)], SENT, 1, 1),
        ([way("cai@telegram", SENT)], SENT, 0, 0),
        ([way("cai@telegram", SENT), way("ann", READ)], READ, 1, 1),
        ([way("cai@telegram", SENT), way("ann", SENT)], SENT, 0, 0),
        ([way("cai@telegram", SENT, taken=False), way("ann", READ)], SENT, 1, 1),
        ([way("cai@telegram", FAILED), way("ann", READ)], FAILED, 1, 1),
        ([way("dea@instagram", SENT), way("ann", READ)], DELIVERED, 1, 1),
        ([way("dea@instagram", SENT), way("cai@telegram", SENT)], SENT, 0, 0),
        ([way("cai@fax", SENT), way("ann", READ)], SENT, 1, 1),
        ([way("ann", SENT), way("ann@whatsapp", READ), way("ben", DELIVERED)], DELIVERED, 2, 1),
        ([way("ann", SENT), way("ann@whatsapp", FAILED)], SENT, 0, 0),
        ([way("ann", SENT), way("ann@telegram", SENT), way("ben", READ)], SENT, 1, 1),
    ],
)
def test_a_message_as_a_whole(ways: Sequence[Way], state: DeliveryState, delivered: int, read: int) -> None:
    """Recipients count by the best of their ways, the lowest of them decides, and a state that a channel does not have
    counts for none."""
    (stored,) = message_rows(new_conversation(), [1])
    view = MessageViews(NotedStates(), CHANNELS).summary(stored, ways)
    assert (view.state, view.delivered_count, view.read_count) == (state, delivered, read)

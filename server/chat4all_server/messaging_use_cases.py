"""The use cases about conversations and messages, put together: a part of the composition root."""

import uuid
from collections.abc import Collection

from chat4all_core.app.announce_membership import AnnounceMembership
from chat4all_core.app.attach_file import AttachFile
from chat4all_core.app.change_participants import ChangeParticipants
from chat4all_core.app.create_conversation import CreateConversation
from chat4all_core.app.drain_signal import DrainSignal
from chat4all_core.app.find_routes import FindRoutes
from chat4all_core.app.mark_messages import MarkMessages
from chat4all_core.app.message_view import MessageViews
from chat4all_core.app.read_conversations import ReadConversations
from chat4all_core.app.read_messages import ReadMessages
from chat4all_core.app.report_receipt import ReportReceipt
from chat4all_core.app.send_message import SendMessage
from chat4all_core.domain.channel import Capabilities
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.event_codec import EventCodec
from chat4all_core.telemetry.metrics import Metrics
from chat4all_server.page_token import PageTokens
from chat4all_server.security import Security
from chat4all_server.services.file_links import MakeLink
from chat4all_server.services.messaging import MessagingService
from chat4all_server.services.send_message_stream import SendMessageStream


def build_messaging_service(
    engine: Engine,
    security: Security,
    channels: Collection[Capabilities],
    codec: EventCodec,
    clock: Clock,
    drain: DrainSignal,
    metrics: Metrics,
    make_link: MakeLink,
) -> MessagingService:
    """The service with its use cases. `channels` are those on which people can be reached."""
    conversations, messages, receipts = engine.conversations, engine.messages, engine.receipts
    announce = AnnounceMembership(streams=engine.streams, log=engine.log, codec=codec, clock=clock)
    report = ReportReceipt(log=engine.log, codec=codec, clock=clock)
    views = MessageViews(engine.delivery_states, channels)
    send_message = SendMessage(
        conversations=conversations,
        log=engine.log,
        codec=codec,
        clock=clock,
        new_id=_new_id,
        attach=AttachFile(engine.files),
        find_routes=FindRoutes(engine.identities, channels),
    )
    return MessagingService(
        create_conversation=CreateConversation(
            conversations=conversations,
            users=engine.users,
            channels=channels,
            announce=announce,
            clock=clock,
            new_id=_new_id,
        ),
        read_conversations=ReadConversations(
            conversations=conversations, messages=messages, receipts=receipts, streams=engine.streams, views=views
        ),
        change_participants=ChangeParticipants(
            conversations=conversations, messages=messages, users=engine.users, channels=channels, announce=announce
        ),
        send_message=send_message,
        send_message_stream=SendMessageStream(
            send_message=send_message, drain=drain, clock=clock, accepted=metrics.messages_accepted
        ),
        read_messages=ReadMessages(
            conversations=conversations, messages=messages, receipts=receipts, views=views, report=report
        ),
        mark_messages=MarkMessages(conversations=conversations, messages=messages, receipts=receipts, report=report),
        page_tokens=PageTokens(security.page_token_key),
        accepted=metrics.messages_accepted,
        make_link=make_link,
    )


def _new_id() -> str:
    return str(uuid.uuid4())

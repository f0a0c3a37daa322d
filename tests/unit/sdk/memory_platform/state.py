"""What the platform of the tests knows; it outlives its servers."""

import asyncio
import itertools
import uuid
from collections import defaultdict, deque
from dataclasses import dataclass, field

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from chat4all.identity.v1 import identity_service_pb2 as identity_pb
from chat4all.messaging.v1 import conversation_pb2 as conversation_pb
from chat4all.messaging.v1 import message_pb2 as message_pb
from chat4all.status.v1 import event_pb2 as event_pb

from .refusal import Refusal, token_expired


@dataclass
class Fault:
    """A refusal for one call to come; `after` lets the call have its effect first."""

    refusal: Refusal
    after: bool = False


@dataclass
class State:
    """Accounts, tokens, conversations and streams, and what the tests ask to go wrong."""

    users: dict[str, identity_pb.User] = field(default_factory=dict)
    identities: dict[tuple[str, str], str] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    access: dict[str, str] = field(default_factory=dict)  # token -> user id
    expired: set[str] = field(default_factory=set)
    refresh: dict[str, tuple[str, str]] = field(default_factory=dict)  # token -> (user id, family)
    used: set[str] = field(default_factory=set)
    revoked: set[str] = field(default_factory=set)  # families
    conversations: dict[str, conversation_pb.Conversation] = field(default_factory=dict)
    messages: dict[str, message_pb.Message] = field(default_factory=dict)
    log: dict[str, list[message_pb.Message]] = field(default_factory=lambda: defaultdict(list))
    by_request: dict[str, str] = field(default_factory=dict)
    streams: dict[str, list[event_pb.Event]] = field(default_factory=lambda: defaultdict(list))
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    faults: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    calls: list[tuple[str, object]] = field(default_factory=list)
    lifetime: int = 3600
    gates: dict[str, asyncio.Event] = field(default_factory=dict)
    numbers: itertools.count = field(default_factory=itertools.count)

    def requests(self, method: str) -> list:
        """Every request of a method so far, in order."""
        return [request for name, request in self.calls if name == method]

    async def wait_until(self, condition) -> None:
        """Waits until a condition over this state holds."""
        async with self.changed:
            await self.changed.wait_for(condition)

    async def notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    def issue(self, user_id: str, family: str) -> tuple[str, str]:
        number = next(self.numbers)
        access, refresh = f"access-{number}", f"refresh-{number}"
        self.access[access] = user_id
        self.refresh[refresh] = (user_id, family)
        return access, refresh

    def expire_tokens(self) -> None:
        """Every access token issued so far has expired."""
        self.expired.update(self.access)

    def caller(self, context: grpc.aio.ServicerContext) -> str:
        header = dict(context.invocation_metadata() or ()).get("authorization", "")
        token = str(header).removeprefix("Bearer ")
        if token in self.expired:
            raise token_expired()
        if token not in self.access:
            raise Refusal(grpc.StatusCode.UNAUTHENTICATED, "no token", "TOKEN_MISSING")
        return self.access[token]

    def conversation(self, conversation_id: str, caller: str) -> conversation_pb.Conversation:
        found = self.conversations.get(conversation_id)
        if found is None:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "there is no such conversation", "CONVERSATION_NOT_FOUND")
        if caller not in {p.participant for p in found.participants}:
            raise Refusal(
                grpc.StatusCode.PERMISSION_DENIED,
                "only participants may read or write a conversation",
                "NOT_A_PARTICIPANT",
                {"conversation_id": conversation_id},
            )
        return found

    def accept(self, sender: str, request) -> message_pb.Message:
        """Stores a message once per request_id and tells everyone."""
        conversation = self.conversation(request.conversation_id, sender)
        if not request.text and not request.file_id:
            raise Refusal(
                grpc.StatusCode.INVALID_ARGUMENT,
                "the request is not valid",
                "FIELD_INVALID",
                fields={"text": "must not be empty"},
            )
        if (known := self.by_request.get(request.request_id)) is not None:
            return self.messages[known]
        rows = self.log[conversation.conversation_id]
        message = message_pb.Message(
            message_id=str(uuid.uuid4()),
            conversation_id=conversation.conversation_id,
            sequence=len(rows) + 1,
            sender=sender,
            text=request.text,
            create_time=now(),
            state=message_pb.DeliveryState.SENT,
            reply_to=request.reply_to,
            metadata=request.metadata,
        )
        if request.file_id:
            message.file.file_id = request.file_id
        rows.append(message)
        self.messages[message.message_id] = message
        self.by_request[request.request_id] = message.message_id
        for participant in conversation.participants:
            self.publish(
                participant.participant,
                event_pb.Event(message_created=event_pb.MessageCreated(message=message)),
            )
        return message

    def publish(self, user_id: str, event: event_pb.Event) -> None:
        stream = self.streams[user_id]
        event.event_id = f"event-{len(stream) + 1}"
        event.time.CopyFrom(now())
        stream.append(event)


def now() -> Timestamp:
    stamp = Timestamp()
    stamp.GetCurrentTime()
    return stamp

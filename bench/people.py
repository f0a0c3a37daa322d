"""Whom the load is between: a sender, a receiver, and their conversations."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import grpc

from chat4all.identity.v1 import identity_service_pb2 as identity
from chat4all.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from chat4all.messaging.v1 import conversation_pb2
from chat4all.messaging.v1 import messaging_service_pb2 as messaging
from chat4all.messaging.v1.messaging_service_pb2_grpc import MessagingServiceStub

_PASSWORD = "correct horse"

Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class People:
    """Two people and the conversations between them."""

    sender: Metadata
    """Proves the sender, as metadata of a call."""
    receiver: Metadata
    ids: tuple[str, str]
    """Of both, as the platform names them."""
    conversations: Sequence[str]


async def meet(channel: grpc.aio.Channel, conversations: int) -> People:
    """Make two people and their conversations."""
    users = IdentityServiceStub(channel)
    name = secrets.token_hex(6)
    tokens, ids = [], []
    for username in (f"s_{name}", f"r_{name}"):
        answer = await users.RegisterUser(identity.RegisterUserRequest(username=username, password=_PASSWORD))
        ids.append(answer.user.user_id)
        token = await users.IssueToken(identity.IssueTokenRequest(username=username, password=_PASSWORD))
        tokens.append((("authorization", f"Bearer {token.access_token}"),))
    stub = MessagingServiceStub(channel)
    request = messaging.CreateConversationRequest(
        type=conversation_pb2.ConversationType.GROUP, participants=[ids[1]], title="bench"
    )
    made: list[str] = []
    while len(made) < conversations:
        answers = await asyncio.gather(
            *(stub.CreateConversation(request, metadata=tokens[0]) for _ in range(min(64, conversations - len(made))))
        )
        made += [answer.conversation.conversation_id for answer in answers]
    return People(tokens[0], tokens[1], (ids[0], ids[1]), made)

"""The services of the contracts, over the state of the tests."""

import uuid

import grpc

from chat4all.identity.v1 import identity_service_pb2 as identity_pb
from chat4all.identity.v1.identity_service_pb2_grpc import IdentityServiceServicer
from chat4all.messaging.v1 import conversation_pb2 as conversation_pb
from chat4all.messaging.v1 import message_pb2 as message_pb
from chat4all.messaging.v1 import messaging_service_pb2 as messaging_pb
from chat4all.messaging.v1.messaging_service_pb2_grpc import MessagingServiceServicer

from .refusal import Refusal
from .state import State, now


class Identity(IdentityServiceServicer):
    def __init__(self, state: State) -> None:
        self._state = state

    async def RegisterUser(self, request, context):
        if any(user.username == request.username for user in self._state.users.values()):
            raise Refusal(grpc.StatusCode.ALREADY_EXISTS, "the username is taken", "USERNAME_TAKEN")
        user = identity_pb.User(
            user_id=str(uuid.uuid4()), username=request.username, email=request.email, create_time=now()
        )
        self._state.users[user.user_id] = user
        self._state.passwords[user.user_id] = request.password
        return identity_pb.RegisterUserResponse(user=user)

    async def IssueToken(self, request, context):
        for user in self._state.users.values():
            if user.username == request.username and self._state.passwords[user.user_id] == request.password:
                access, refresh = self._state.issue(user.user_id, str(uuid.uuid4()))
                return identity_pb.IssueTokenResponse(
                    access_token=access,
                    refresh_token=refresh,
                    token_type="Bearer",
                    expires_in=self._state.lifetime,
                )
        raise Refusal(grpc.StatusCode.UNAUTHENTICATED, "the username or the password is wrong", "CREDENTIALS_INVALID")

    async def RefreshToken(self, request, context):
        user_id, family = self._state.refresh.get(request.refresh_token, ("", ""))
        if request.refresh_token in self._state.used:
            self._state.revoked.add(family)
        if not user_id or family in self._state.revoked:
            raise Refusal(grpc.StatusCode.UNAUTHENTICATED, "the refresh token is not valid", "REFRESH_TOKEN_INVALID")
        self._state.used.add(request.refresh_token)
        access, refresh = self._state.issue(user_id, family)
        return identity_pb.RefreshTokenResponse(
            access_token=access, refresh_token=refresh, token_type="Bearer", expires_in=self._state.lifetime
        )

    async def RevokeToken(self, request, context):
        self._state.revoked.add(self._state.refresh.get(request.refresh_token, ("", ""))[1])
        return identity_pb.RevokeTokenResponse()

    async def GetCurrentUser(self, request, context):
        return identity_pb.GetCurrentUserResponse(user=self._state.users[self._state.caller(context)])

    async def GetUser(self, request, context):
        self._state.caller(context)
        return identity_pb.GetUserResponse(user=self._find("user_id", request.user_id))

    async def FindUser(self, request, context):
        self._state.caller(context)
        return identity_pb.FindUserResponse(user=self._find("username", request.username))

    async def LinkIdentity(self, request, context):
        caller = self._state.caller(context)
        identity = identity_pb.Identity(channel=request.channel, address=request.address)
        key = (request.channel, request.address)
        if self._state.identities.get(key, caller) != caller:
            raise Refusal(grpc.StatusCode.ALREADY_EXISTS, "another user has linked it", "IDENTITY_TAKEN")
        if request.code not in ("", "123456"):
            raise Refusal(grpc.StatusCode.PERMISSION_DENIED, "the code is wrong", "LINK_CODE_INVALID")
        if request.code:
            self._state.identities[key] = caller
            identity.state = identity_pb.IdentityState.LINKED
            identity.link_time.CopyFrom(now())
        else:
            identity.state = identity_pb.IdentityState.CODE_SENT
            identity.code_expire_time.CopyFrom(now())
        return identity_pb.LinkIdentityResponse(identity=identity)

    async def ListIdentities(self, request, context):
        caller = self._state.caller(context)
        linked = identity_pb.IdentityState.LINKED
        mine = [
            identity_pb.Identity(channel=channel, address=address, state=linked, link_time=now())
            for (channel, address), owner in sorted(self._state.identities.items())
            if owner == caller
        ]
        return identity_pb.ListIdentitiesResponse(identities=mine)

    async def UnlinkIdentity(self, request, context):
        if self._state.identities.pop((request.channel, request.address), "") != self._state.caller(context):
            raise Refusal(grpc.StatusCode.NOT_FOUND, "it is not linked", "IDENTITY_NOT_FOUND")
        return identity_pb.UnlinkIdentityResponse()

    def _find(self, name: str, value: str) -> identity_pb.User:
        for user in self._state.users.values():
            if getattr(user, name) == value:
                return user
        raise Refusal(grpc.StatusCode.NOT_FOUND, "there is no such user", "USER_NOT_FOUND", {name: value})


class Messaging(MessagingServiceServicer):
    def __init__(self, state: State) -> None:
        self._state = state

    async def CreateConversation(self, request, context):
        caller = self._state.caller(context)
        members = sorted({caller, *request.participants})
        for known in self._state.conversations.values():
            same = [p.participant for p in known.participants] == members
            if same and request.type == known.type == conversation_pb.ConversationType.DIRECT:
                return messaging_pb.CreateConversationResponse(conversation=known)
        made = conversation_pb.Conversation(
            conversation_id=str(uuid.uuid4()),
            type=request.type,
            title=request.title,
            create_time=now(),
            version=1,
            participants=[self._participant(member, caller) for member in members],
        )
        self._state.conversations[made.conversation_id] = made
        return messaging_pb.CreateConversationResponse(conversation=made)

    def _participant(self, member: str, creator: str) -> conversation_pb.Participant:
        role = conversation_pb.ParticipantRole.ADMIN if member == creator else conversation_pb.ParticipantRole.MEMBER
        return conversation_pb.Participant(participant=member, role=role)

    async def GetConversation(self, request, context):
        found = self._state.conversation(request.conversation_id, self._state.caller(context))
        return messaging_pb.GetConversationResponse(conversation=found)

    async def ListConversations(self, request, context):
        caller = self._state.caller(context)
        mine = [c for c in self._state.conversations.values() if caller in {p.participant for p in c.participants}]
        start = int(request.page_token or 0)
        end = start + (request.page_size or 50)
        answer = messaging_pb.ListConversationsResponse(next_page_token=str(end) if end < len(mine) else "")
        for conversation in mine[start:end]:
            listed = answer.conversations.add()
            listed.CopyFrom(conversation)
            listed.ClearField("participants")
            if rows := self._state.log[conversation.conversation_id]:
                listed.last_message.CopyFrom(rows[-1])
        return answer

    async def AddParticipants(self, request, context):
        caller = self._state.caller(context)
        found = self._state.conversation(request.conversation_id, caller)
        found.participants.extend(self._participant(user, "") for user in request.participants)
        found.version += 1
        return messaging_pb.AddParticipantsResponse(conversation=found)

    async def RemoveParticipant(self, request, context):
        found = self._state.conversation(request.conversation_id, self._state.caller(context))
        kept = [p for p in found.participants if p.participant != request.participant]
        del found.participants[:]
        found.participants.extend(kept)
        found.version += 1
        return messaging_pb.RemoveParticipantResponse()

    async def SetParticipantRole(self, request, context):
        found = self._state.conversation(request.conversation_id, self._state.caller(context))
        for participant in found.participants:
            if participant.participant == request.participant:
                participant.role = request.role
        return messaging_pb.SetParticipantRoleResponse(conversation=found)

    async def SendMessage(self, request, context):
        message = self._state.accept(self._state.caller(context), request)
        await self._state.notify()
        return receipt(message)

    async def SendMessageStream(self, requests, context):
        try:
            caller = self._state.caller(context)
        except Refusal as refusal:
            await refusal.abort(context)
        async for request in requests:
            self._state.calls.append(("SendMessageStream", request.message))
            await self._state.notify()
            if (gate := self._state.gates.get("SendMessageStream")) is not None:
                await gate.wait()
            answer = messaging_pb.SendMessageStreamResponse(request_id=request.message.request_id)
            faults = self._state.faults["SendMessageStream"]
            fault = faults.popleft() if faults else None
            if fault is not None and not fault.after:
                await fault.refusal.abort(context)
            try:
                answer.accepted.CopyFrom(receipt(self._state.accept(caller, request.message)))
            except Refusal as refusal:
                answer.error.CopyFrom(refusal.status())
            if fault is not None:
                await fault.refusal.abort(context)
            yield answer

    async def GetMessage(self, request, context):
        return messaging_pb.GetMessageResponse(message=self._message(request, context))

    async def ListMessages(self, request, context):
        found = self._state.conversation(request.conversation_id, self._state.caller(context))
        rows = self._state.log[found.conversation_id]
        if request.after_sequence:
            rows = rows[request.after_sequence :]
        else:
            rows = rows[: request.before_sequence - 1 if request.before_sequence else None][::-1]
        start = int(request.page_token or 0)
        end = start + (request.page_size or 50)
        return messaging_pb.ListMessagesResponse(
            messages=rows[start:end], next_page_token=str(end) if end < len(rows) else ""
        )

    async def MarkRead(self, request, context):
        self._message(request, context).state = message_pb.DeliveryState.READ
        return messaging_pb.MarkReadResponse()

    async def MarkDelivered(self, request, context):
        self._message(request, context).state = message_pb.DeliveryState.DELIVERED
        return messaging_pb.MarkDeliveredResponse()

    def _message(self, request, context) -> message_pb.Message:
        self._state.caller(context)
        if (found := self._state.messages.get(request.message_id)) is None:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "there is no such message", "MESSAGE_NOT_FOUND")
        return found


def receipt(message: message_pb.Message) -> messaging_pb.SendMessageResponse:
    return messaging_pb.SendMessageResponse(
        message_id=message.message_id,
        conversation_id=message.conversation_id,
        state=message_pb.DeliveryState.SENT,
        create_time=message.create_time,
    )

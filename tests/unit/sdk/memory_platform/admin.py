"""The service of those who operate the platform, over the state of the tests."""

import grpc

from chat4all.admin.v1 import admin_service_pb2 as pb
from chat4all.admin.v1.admin_service_pb2_grpc import AdminServiceServicer

from .refusal import Refusal
from .state import State, now


class Admin(AdminServiceServicer):
    def __init__(self, state: State) -> None:
        self._state = state
        self.letters: list[pb.DeadLetter] = []
        """Newest first."""

    async def ListDeadLetters(self, request, context):
        self._state.caller(context)
        start = int(request.page_token or 0)
        end = start + (request.page_size or 50)
        return pb.ListDeadLettersResponse(
            dead_letters=self.letters[start:end], next_page_token=str(end) if end < len(self.letters) else ""
        )

    async def RedriveDeadLetter(self, request, context):
        self._state.caller(context)
        for letter in self.letters:
            if letter.dead_letter_id == request.dead_letter_id:
                letter.redrive_time.CopyFrom(now())
                return pb.RedriveDeadLetterResponse(dead_letter=letter)
        raise Refusal(grpc.StatusCode.NOT_FOUND, "there is no such dead letter", "DEAD_LETTER_NOT_FOUND")

    async def GetSystemStatus(self, request, context):
        self._state.caller(context)
        parts = [pb.SystemPart(name="event_log", ready=True), pb.SystemPart(name="stores")]
        return pb.GetSystemStatusResponse(parts=parts, channels=["whatsapp"], start_time=now())

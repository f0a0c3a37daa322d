"""chat4all.admin.v1.AdminService."""

from collections.abc import Sequence

from chat4all.admin.v1 import admin_service_pb2 as pb
from chat4all.admin.v1 import admin_service_pb2_grpc as grpc_pb
from chat4all_core.app.dead_letters import DeadLetters
from chat4all_core.app.system_status import ReadSystemStatus
from chat4all_core.domain.channel import Capabilities
from chat4all_core.domain.dead_letter import DeadLetter, DeadLetterId
from chat4all_core.domain.errors import PermissionDeniedError, Reason
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.dead_letter_store import DeadLetterPosition
from chat4all_server.interceptors.authentication import caller
from chat4all_server.interceptors.interceptor import Context
from chat4all_server.page_token import PageTokens, page_size
from chat4all_server.translate import timestamp_to_proto


class AdminService(grpc_pb.AdminServiceServicer):
    """What those who operate the platform may do."""

    def __init__(
        self,
        *,
        dead_letters: DeadLetters,
        read_status: ReadSystemStatus,
        channels: Sequence[Capabilities],
        page_tokens: PageTokens,
    ) -> None:
        """`channels`: those on which the platform has an account."""
        self._dead_letters = dead_letters
        self._read_status = read_status
        self._channels = sorted(c.channel for c in channels)
        self._page_tokens = page_tokens

    async def ListDeadLetters(self, request: pb.ListDeadLettersRequest, context: Context) -> pb.ListDeadLettersResponse:
        """See the contract."""
        _require_admin()
        scope = ("ListDeadLetters", caller().user_id)
        before = _position(self._page_tokens.read_text(request.page_token, *scope)) if request.page_token else None
        page = await self._dead_letters.list(page_size(request.page_size), before)
        token = self._page_tokens.issue_text(_text(page.next_before), *scope) if page.next_before else ""
        return pb.ListDeadLettersResponse(dead_letters=map(_to_proto, page.items), next_page_token=token)

    async def RedriveDeadLetter(
        self, request: pb.RedriveDeadLetterRequest, context: Context
    ) -> pb.RedriveDeadLetterResponse:
        """See the contract."""
        _require_admin()
        return pb.RedriveDeadLetterResponse(
            dead_letter=_to_proto(await self._dead_letters.redrive(request.dead_letter_id))
        )

    async def GetSystemStatus(self, request: pb.GetSystemStatusRequest, context: Context) -> pb.GetSystemStatusResponse:
        """See the contract."""
        _require_admin()
        status = await self._read_status()
        return pb.GetSystemStatusResponse(
            ready=status.ready,
            parts=[pb.SystemPart(name=name, ready=ready) for name, ready in status.parts.items()],
            channels=self._channels,
            start_time=timestamp_to_proto(status.started_at),
        )


def _require_admin() -> None:
    if not caller().is_admin:
        raise PermissionDeniedError(Reason.ADMIN_ONLY, "only who operates the platform may do this")


def _text(position: DeadLetterPosition) -> str:
    return f"{position.rejected_at} {position.dead_letter_id}"


def _position(text: str) -> DeadLetterPosition:
    rejected_at, _, dead_letter_id = text.partition(" ")
    return DeadLetterPosition(Timestamp(int(rejected_at)), DeadLetterId(dead_letter_id))


def _to_proto(letter: DeadLetter) -> pb.DeadLetter:
    result = pb.DeadLetter(
        dead_letter_id=letter.dead_letter_id,
        topic=letter.topic,
        key=letter.key,
        code=letter.code,
        reason=letter.reason,
        remedy=letter.remedy,
        reject_time=timestamp_to_proto(letter.rejected_at),
        redrive_time=None if letter.redriven_at is None else timestamp_to_proto(letter.redriven_at),
    )
    for event in letter.history:
        result.history.add(time=timestamp_to_proto(event.time), what=event.what)
    return result

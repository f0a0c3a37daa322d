"""Refusals in the platform's form: google.rpc.Status with ErrorInfo and more."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status


@dataclass(eq=False)
class Refusal(Exception):
    """Why a call fails. Without a reason it looks like a failure on the way."""

    code: grpc.StatusCode
    message: str = "refused"
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    retry_after: float | None = None

    def status(self) -> status_pb2.Status:
        status = status_pb2.Status(code=self.code.value[0], message=self.message)
        for detail in self._details():
            packed = Any()
            packed.Pack(detail)
            status.details.append(packed)
        return status

    async def abort(self, context: grpc.aio.ServicerContext) -> None:
        trailers = rpc_status.to_status(self.status()).trailing_metadata
        await context.abort(self.code, self.message, trailers)

    def _details(self):
        if self.reason:
            yield error_details_pb2.ErrorInfo(reason=self.reason, domain="chat4all", metadata=self.metadata)
        if self.fields:
            violations = [
                error_details_pb2.BadRequest.FieldViolation(field=name, description=text)
                for name, text in self.fields.items()
            ]
            yield error_details_pb2.BadRequest(field_violations=violations)
        if self.retry_after is not None:
            delay = Duration()
            delay.FromNanoseconds(int(self.retry_after * 1e9))
            yield error_details_pb2.RetryInfo(retry_delay=delay)


def unavailable(**details) -> Refusal:
    return Refusal(grpc.StatusCode.UNAVAILABLE, reason="UNAVAILABLE", **details)


def connection_lost() -> Refusal:
    return Refusal(grpc.StatusCode.UNAVAILABLE, "Socket closed")


def token_expired() -> Refusal:
    return Refusal(grpc.StatusCode.UNAUTHENTICATED, "the token has expired", "TOKEN_EXPIRED")

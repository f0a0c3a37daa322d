"""The answers that Envoy gives by itself, in the form of every other error of Chat4All.

REST callers get google.rpc.Status as JSON under the HTTP status; gRPC and gRPC-Web callers get a gRPC status
with the same details in grpc-status-details-bin. A status is mapped by the first row of the table that
covers it.
"""

import base64
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

Mapper = dict[str, object]

INSTANCE_HEADER = "x-chat4all-instance"
"""On the answers of GET /healthz: which Envoy gave it."""

_MALFORMED = "the request is malformed"
# With Envoy's own text, for example where in a JSON body the transcoder stopped.
_EXPLAINED = f"{_MALFORMED}. %LOCAL_REPLY_BODY%"
_NOT_FOUND = "there is no such method or path"


@dataclass(frozen=True, slots=True)
class _Reply:
    lowest: int
    highest: int
    code: int
    reason: str  # a name of chat4all.errors.v1.ErrorReason
    message: str
    retry_after: int | None = None  # seconds
    status: int | None = None  # what REST callers see instead of Envoy's own

    @property
    def grpc_message(self) -> str:
        """The text for gRPC callers, who never meet the transcoder. Must be ASCII without percent signs."""
        return _MALFORMED if self.message == _EXPLAINED else self.message


_REPLIES = (
    _Reply(400, 400, Code.INVALID_ARGUMENT, "MALFORMED_REQUEST", _EXPLAINED),
    # 403 is for an upgrade (WebSocket) where none is offered.
    _Reply(403, 404, Code.UNIMPLEMENTED, "METHOD_NOT_FOUND", _NOT_FOUND, status=404),
    _Reply(408, 408, Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "the request did not arrive in time"),
    _Reply(413, 413, Code.INVALID_ARGUMENT, "MALFORMED_REQUEST", "the request's body is larger than 4 MiB"),
    _Reply(
        431,
        431,
        Code.INVALID_ARGUMENT,
        "MALFORMED_REQUEST",
        "the request has more than 64 KiB of headers, or more than 100",
    ),
    _Reply(502, 503, Code.UNAVAILABLE, "UNAVAILABLE", "the server is away; try again", retry_after=1),
    _Reply(504, 504, Code.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED", "the server did not answer in time"),
    _Reply(400, 499, Code.INVALID_ARGUMENT, "MALFORMED_REQUEST", _EXPLAINED),
    _Reply(500, 599, Code.INTERNAL, "INTERNAL_ERROR", "the answer could not be given"),
)

# The transcoder turns REST requests into gRPC, but notes the path they had.
_GRPC_CALLER: list[Mapper] = [
    {"header_filter": {"header": {"name": "content-type", "string_match": {"prefix": "application/grpc"}}}},
    {"header_filter": {"header": {"name": "x-envoy-original-path", "present_match": False}}},
]


def local_reply_mappers(instance: str) -> list[Mapper]:
    """Return the mappers of `local_reply_config`, in the order in which Envoy tries them."""
    return [
        _healthy(instance),
        *(_to_grpc(reply) for reply in _REPLIES),
        *(_to_rest(reply, instance) for reply in _REPLIES),
    ]


def _healthy(instance: str) -> Mapper:
    """Map the only local reply that is no error: GET /healthz while a server is SERVING."""
    return {
        "filter": {"and_filter": {"filters": _between(200, 200)}},
        "headers_to_add": [_header(INSTANCE_HEADER, instance)],
        "body_format_override": {"json_format": {"status": "SERVING"}},
    }


def _to_grpc(reply: _Reply) -> Mapper:
    return {
        "filter": {"and_filter": {"filters": [*_GRPC_CALLER, *_between(reply.lowest, reply.highest)]}},
        "status_code": 200,
        "headers_to_add": [
            _header("grpc-status", str(reply.code)),
            _header("grpc-message", reply.grpc_message),
            _header("grpc-status-details-bin", _details_bin(reply)),
        ],
        # An answer of headers only; the type matters to gRPC-Web, to which Envoy would else answer as to REST.
        "body_format_override": {"text_format_source": {"inline_string": ""}, "content_type": "application/grpc"},
    }


def _to_rest(reply: _Reply, instance: str) -> Mapper:
    mapper: Mapper = {
        "filter": {"and_filter": {"filters": _between(reply.lowest, reply.highest)}},
        "body_format_override": {"json_format": _status_json(reply)},
    }
    if reply.status is not None:
        mapper["status_code"] = reply.status
    if reply.retry_after is not None:
        mapper["headers_to_add"] = [
            _header("retry-after", str(reply.retry_after)),
            _header(INSTANCE_HEADER, instance),  # GET /healthz may be answered by this one
        ]
    return mapper


def _status_json(reply: _Reply) -> Mapper:
    info: Mapper = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reply.reason,
        "domain": "chat4all",
        "metadata": {},
    }
    details: list[Mapper] = [info]
    if reply.retry_after is not None:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retry_delay": f"{reply.retry_after}s"})
    return {"code": reply.code, "message": reply.message, "details": details}


def _details_bin(reply: _Reply) -> str:
    """Encode the reply as gRPC carries it in metadata: base64 without padding."""
    status = Status(code=reply.code, message=reply.grpc_message)
    status.details.add().Pack(ErrorInfo(reason=reply.reason, domain="chat4all"))
    if reply.retry_after is not None:
        status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=reply.retry_after)))
    return base64.b64encode(status.SerializeToString()).decode().rstrip("=")


def _header(name: str, value: str) -> Mapper:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def _between(lowest: int, highest: int) -> list[Mapper]:
    return [_compare("GE", lowest), _compare("LE", highest)]


def _compare(operator: str, status: int) -> Mapper:
    value = {"default_value": status, "runtime_key": "chat4all.local_reply.never_set"}
    return {"status_code_filter": {"comparison": {"op": operator, "value": value}}}

"""The table from errors to statuses."""

from collections.abc import Iterator

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo

from chat4all.errors.v1.error_reason_pb2 import ErrorReason
from chat4all_core.adapters.cassandra.errors import ContentionError
from chat4all_core.domain.errors import (
    InvalidArgumentError,
    NotFoundError,
    Reason,
    RefusedError,
    RetryableError,
    UnavailableError,
    Violation,
    invalid_field,
)
from chat4all_server.errors import CODES, MAX_VIOLATIONS, InternalError, refusal_for, to_status


def refusals(base: type[RefusedError] = RefusedError) -> Iterator[type[RefusedError]]:
    for subclass in base.__subclasses__():
        yield subclass
        yield from refusals(subclass)


ABSTRACT = {RetryableError}


def details(error: RefusedError) -> dict[type, Any]:
    unpacked: dict[type, Any] = {}
    for detail in to_status(error).details:
        for kind in (ErrorInfo, BadRequest, RetryInfo):
            message = kind()
            if detail.Unpack(message):
                unpacked[kind] = message
    return unpacked


def test_every_error_has_a_status() -> None:
    """Every class of refusal that can be raised is in the table, or a kind of one that is."""
    assert set(CODES) <= set(refusals()) - ABSTRACT
    assert [kind for kind in set(refusals()) - ABSTRACT if not CODES.keys() & set(kind.__mro__)] == []


def test_a_kind_of_an_error_has_its_status() -> None:
    """What an adapter raises as a kind of its own is answered as what it is a kind of: nodes that do not agree are
    unavailable."""
    error = ContentionError(Reason.UNAVAILABLE, "the nodes do not agree", 1.0)
    assert to_status(error).code == grpc.StatusCode.UNAVAILABLE.value[0]


def test_every_reason_is_in_the_contract() -> None:
    """The reasons of the domain are exactly those of the contract."""
    assert {reason.value for reason in Reason} == set(ErrorReason.Reason.keys()) - {"REASON_UNSPECIFIED"}


@pytest.mark.parametrize("reason", Reason)
def test_reason_travels_in_error_info(reason: Reason) -> None:
    """A status names its reason, the product, and what the error says of the case."""
    info = details(NotFoundError(reason, "no", {"message_id": "m1"}))[ErrorInfo]
    assert (info.reason, info.domain, dict(info.metadata)) == (reason.value, "chat4all", {"message_id": "m1"})


def test_status_has_code_and_text() -> None:
    """A status has the code of its error's class and the error's text."""
    status = to_status(NotFoundError(Reason.USER_NOT_FOUND, "there is no such user"))
    assert (status.code, status.message) == (grpc.StatusCode.NOT_FOUND.value[0], "there is no such user")


def test_invalid_fields_are_named() -> None:
    """Invalid input names each field with what is wrong."""
    (violation,) = details(invalid_field("text", "must not be empty"))[BadRequest].field_violations
    assert (violation.field, violation.description) == ("text", "must not be empty")


def test_invalid_argument_without_field_has_no_bad_request() -> None:
    """A cursor that is none is no matter of fields."""
    error = InvalidArgumentError("not a cursor", reason=Reason.CURSOR_INVALID)
    assert BadRequest not in details(error)


def test_retryable_errors_say_when() -> None:
    """An error that waiting may cure carries the delay."""
    delay = details(UnavailableError(Reason.UNAVAILABLE, "busy", 1.5))[RetryInfo].retry_delay
    assert (delay.seconds, delay.nanos) == (1, 500_000_000)


def test_details_stay_small() -> None:
    """However long what the caller sent, the status fits into the headers of an answer."""
    long = "😀" * 10_000
    error = InvalidArgumentError(long, *[Violation("field", "x" * 10_000)] * 100)
    error.metadata["name"] = long
    status = to_status(error)
    assert len(details(error)[BadRequest].field_violations) == MAX_VIOLATIONS
    in_base64 = status.ByteSize() * 4 / 3
    percent_encoded = len(status.message.encode()) * 3
    assert in_base64 + percent_encoded < 8 * 1024


def test_unforeseen_errors_are_not_shown() -> None:
    """What the server did not foresee becomes INTERNAL with a text that tells nothing of it."""
    refusal = refusal_for(ValueError("password of ann"), "/a.B/C")
    assert isinstance(refusal, InternalError)
    assert "ann" not in refusal.message


def test_refusals_are_shown_as_they_are() -> None:
    """A refusal is what the caller is told."""
    error = invalid_field("text", "must not be empty")
    assert refusal_for(error, "/a.B/C") is error

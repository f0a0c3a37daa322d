"""Errors of Meta's Graph API: what a code means decides, not the HTTP status."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from chat4all_channels.form import node, text, whole
from chat4all_channels.http_api import Answer
from chat4all_channels.outcome import AccountRefused, Outcome, Refused, RetryAfter, Scope
from chat4all_core.domain.delivery import DeliveryFailure

_MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class ErrorTable:
    """What the codes of one API mean."""

    retry_account: Mapping[int, float]
    """Codes after which the whole account waits, with the seconds; 0: as the headers say, or backoff."""
    trouble: frozenset[int]
    """Codes of the channel's own trouble."""
    retry_recipient: Mapping[int, float]
    """Codes after which messages to this person wait; 0: backoff."""
    account: Mapping[int, str]
    """Remedies by code."""
    window_closed: frozenset[int]
    remedies: Mapping[int, str]
    """Of codes that are permanent for a message, where something better can be said than "see the code"."""
    subcodes: Mapping[int, str]
    """The same by subcode, which is closer."""
    window_closed_subcodes: frozenset[int] = frozenset()

    def outcome(self, answer: Answer) -> Outcome:
        """What an answer means that is no success."""
        error = node(answer.body, "error")
        code, subcode = whole(error, "code"), whole(error, "error_subcode")
        if "code" not in error:
            return _without_code(answer)
        reason = text(node(error, "error_data"), "details") or text(error, "message")
        if subcode in self.window_closed_subcodes or code in self.window_closed:
            remedy = self.subcodes.get(subcode) or self.remedies.get(code, "")
            return Refused(DeliveryFailure(str(code), reason, remedy), window_closed=True)
        if subcode in self.subcodes:
            return Refused(DeliveryFailure(f"{code}/{subcode}", reason, self.subcodes[subcode]))
        if code in self.retry_recipient:
            return RetryAfter(answer.retry_after or self.retry_recipient[code], Scope.RECIPIENT, str(code), reason)
        if code in self.trouble:
            return RetryAfter(answer.retry_after, Scope.CHANNEL, str(code), reason)
        if code in self.account or 200 <= code <= 299:
            remedy = self.account.get(code, "Give the access token the permission that the reason names.")
            return AccountRefused(DeliveryFailure(str(code), reason, remedy))
        if code in self.retry_account:
            return RetryAfter(_wait(answer) or self.retry_account[code], Scope.ACCOUNT, str(code), reason)
        if answer.status >= 500 or error.get("is_transient") is True:
            return RetryAfter(answer.retry_after, Scope.CHANNEL, str(code), reason)
        remedy = self.remedies.get(code, "Look the code up in the channel's documentation.")
        return Refused(DeliveryFailure(str(code), reason, remedy))


def _without_code(answer: Answer) -> Outcome:
    cause = f"HTTP {answer.status} without an error of the channel's form"
    if answer.status == 429 or answer.status >= 500:
        scope = Scope.ACCOUNT if answer.status == 429 else Scope.CHANNEL
        return RetryAfter(_wait(answer), scope, str(answer.status), cause)
    # Something else answers than the API: that says nothing of the message.
    return AccountRefused(DeliveryFailure(str(answer.status), cause, "Check the access token and the base URL."))


def _wait(answer: Answer) -> float:
    """Seconds: Retry-After, or the longest time that a usage header names."""
    return answer.retry_after or _regained_in(answer.headers.get("x-business-use-case-usage", ""))


def _regained_in(usage: str) -> float:
    try:
        by_business = json.loads(usage or "{}")
    except ValueError:
        return 0.0
    entries = (
        [e for es in by_business.values() if isinstance(es, list) for e in es] if isinstance(by_business, dict) else []
    )
    minutes = [e.get("estimated_time_to_regain_access") for e in entries if isinstance(e, dict)]
    return max((m for m in minutes if isinstance(m, int | float)), default=0) * _MINUTE

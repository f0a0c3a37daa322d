"""What a failed command says, and the exit code it ends with."""

from collections.abc import Mapping
from typing import Any

from chat4all_sdk.cli.settings import Settings
from chat4all_sdk.cli.terminal_text import printable
from chat4all_sdk.errors import ChatError, DeadlineExceeded, LoginRequired, Unavailable
from chat4all_sdk.retry import connection_lost

__all__ = ["NOT_LOGGED_IN", "REFUSED", "UNREACHABLE", "USAGE", "describe", "exit_code", "to_record"]

REFUSED = 1
USAGE = 2
NOT_LOGGED_IN = 3
UNREACHABLE = 4

_NEXT_STEPS: Mapping[str, str] = {
    "CREDENTIALS_INVALID": "Check both, or make an account with `chat4all register NAME`.",
    "USERNAME_TAKEN": "Choose another name, or log in with `chat4all login NAME`.",
    "USER_NOT_FOUND": "Check the spelling with `chat4all users find NAME`.",
    "CONVERSATION_NOT_FOUND": "List yours with `chat4all conversations list`.",
    "NOT_A_PARTICIPANT": "List your conversations with `chat4all conversations list`.",
    "NOT_AN_ADMIN": "`chat4all conversations show CONVERSATION` tells who is an admin.",
    "MESSAGE_NOT_FOUND": "`chat4all history CONVERSATION` lists messages with their ids.",
    "NOT_A_RECIPIENT": "Only messages that others sent to you can be marked.",
    "FILE_NOT_FOUND": "`chat4all files list CONVERSATION` lists files with their ids.",
    "UPLOAD_TAKEN_OVER": "Another command uploads the same file; leave it to that one.",
    "SHA256_MISMATCH": "The file changed meanwhile, or was damaged: try again.",
    "CONVERSATION_CHANGED": "Try again.",
}


def exit_code(error: ChatError) -> int:
    """The exit code for an error."""
    if isinstance(error, LoginRequired):
        return NOT_LOGGED_IN
    if _out_of_reach(error):
        return UNREACHABLE
    return REFUSED


def describe(error: ChatError, settings: Settings) -> str:
    """One or two lines: what happened, and what to do next."""
    server = printable(settings.server)
    message = printable(error.message)
    if isinstance(error, LoginRequired):
        profile = "" if settings.profile == "default" else f" as profile {printable(settings.profile)}"
        return f"Not logged in to {server}{profile} ({message}).\nRun `chat4all login NAME` first."
    if _out_of_reach(error):
        if error.reason:
            return f"The server at {server} can't serve now: {message}.\nTry again in a moment."
        return (
            f"Can't reach the server at {server}: {message}\n"
            "Is it running? Name another one with --server or CHAT4ALL_SERVER."
        )
    return _refusal(error, message)


def to_record(error: ChatError) -> dict[str, Any]:
    """The error for JSON."""
    return {
        "code": error.code.name,
        "reason": error.reason,
        "message": error.message,
        "metadata": error.metadata,
        "violations": error.violations,
        "retry_after": error.retry_after,
    }


def _out_of_reach(error: ChatError) -> bool:
    return isinstance(error, Unavailable | DeadlineExceeded) or connection_lost(error)


def _refusal(error: ChatError, message: str) -> str:
    lines = [f"{printable(error.reason) or error.code.name}: {message}"]
    # The platform's message may well say the first of them.
    fields = [f"{v.field}: {v.description}" for v in error.violations if v.description not in error.message]
    if fields:
        lines.append(printable("; ".join(fields)))
    elif error.retry_after is not None:
        lines.append(f"Try again in {error.retry_after:g} s.")
    elif error.reason in _NEXT_STEPS:
        lines.append(_NEXT_STEPS[error.reason])
    return "\n".join(lines)

"""Accounts, and the rules for their names and passwords."""

import re
from dataclasses import dataclass

from chat4all_core.domain.errors import InvalidArgumentError, Violation
from chat4all_core.domain.ids import UserId
from chat4all_core.domain.timestamp import Timestamp

MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 1_024  # argon2 takes far more; this bounds the work that a stranger can ask for
MAX_EMAIL_LENGTH = 254  # RFC 5321, section 4.5.3.1.3

_USERNAME = re.compile(r"[A-Za-z0-9_]{3,50}", re.ASCII)


@dataclass(frozen=True, slots=True)
class User:
    """An account."""

    user_id: UserId
    username: str
    """As it was registered; unique by `username_key`."""
    email: str
    """Empty when not given."""
    created_at: Timestamp
    is_admin: bool = False
    """Whether the account operates the platform."""


def username_key(username: str) -> str:
    """What makes a username unique: it is compared without case."""
    return username.lower()


def check_registration(username: str, password: str, email: str) -> None:
    """Refuse an account that may not be.

    Raises:
        InvalidArgumentError: with a violation for each field that is wrong.
    """
    violations = []
    if not _USERNAME.fullmatch(username):
        violations.append(Violation("username", "must be 3 to 50 of A-Z, a-z, 0-9 and underscore"))
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        violations.append(Violation("password", f"must have {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters"))
    if email and (len(email) > MAX_EMAIL_LENGTH or not re.fullmatch(r"[^@\s\0]+@[^@\s\0]+", email)):
        violations.append(Violation("email", "must be an e-mail address"))
    if violations:
        first = violations[0]
        raise InvalidArgumentError(f"{first.field}: {first.description}", *violations)

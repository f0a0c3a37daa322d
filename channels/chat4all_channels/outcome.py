"""How telling a channel something can end."""

from dataclasses import dataclass
from enum import Enum

from chat4all_core.domain.channel import ProviderId
from chat4all_core.domain.delivery import DeliveryFailure


class Scope(Enum):
    """Who has to wait."""

    RECIPIENT = "recipient"
    """Messages to this person alone."""
    CHANNEL = "channel"
    """The channel has trouble of its own: this person waits, and everybody once several people had to."""
    ACCOUNT = "account"
    """Everything that this account sends."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The channel has it."""

    provider_id: ProviderId


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """The channel certainly does not have it, and may take it later."""

    seconds: float
    """0: the channel does not say when."""
    scope: Scope
    code: str
    cause: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The channel will never take it."""

    failure: DeliveryFailure
    window_closed: bool = False
    """The person has not written lately: a template may still go."""


@dataclass(frozen=True, slots=True)
class AccountRefused:
    """The channel does not take anything from this account (token, permission, payment) until somebody sees to it. It
    certainly does not have this message."""

    failure: DeliveryFailure


@dataclass(frozen=True, slots=True)
class Undecided:
    """Nobody knows whether the channel has it: the answer did not come. It must not be told again."""

    cause: str


Outcome = Accepted | RetryAfter | Refused | AccountRefused | Undecided

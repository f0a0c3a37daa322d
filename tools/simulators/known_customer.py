"""People whom an account knows from the start."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """Somebody who, for the service, wrote to the account just when it started."""

    id: str
    name: str

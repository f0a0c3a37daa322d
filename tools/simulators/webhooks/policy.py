"""How webhooks are sent."""

from dataclasses import dataclass

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class WebhookPolicy:
    """At least once, retried with growing waits, in batches."""

    batch_size: int = 1
    """At most so many events in one request, of those that wait."""
    connections: int = 4
    """Requests at the same time, for each account."""
    timeout_seconds: float = 10.0
    retry_initial_seconds: float = 1.0
    retry_max_seconds: float = 60.0
    give_up_seconds: float = 7 * _DAY
    reorder_seconds: float = 5.0
    """How long an event that is to be overtaken waits for another one."""
    queue_size: int = 100_000
    """More events than this wait for no account: the oldest are lost."""

    def __post_init__(self) -> None:
        if self.batch_size < 1 or self.connections < 1 or self.queue_size < 1:
            raise ValueError("batch_size, connections and queue_size are 1 or more")

    def wait_after(self, attempts: int) -> float:
        """Seconds between an attempt, counted from 1, and the next."""
        return min(self.retry_max_seconds, self.retry_initial_seconds * 2.0 ** min(attempts - 1, 30))


class PolicyInForce:
    """The policy that all senders follow, which can be changed while they run; connections stay as they were."""

    def __init__(self, policy: WebhookPolicy) -> None:
        self.current = policy

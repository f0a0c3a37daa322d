"""The accounts of one channel together: for the loop that reads, and for operators."""

from collections import Counter
from collections.abc import Sequence

from chat4all_core.domain.channel import ChannelName
from chat4all_core.telemetry.metrics import Metrics
from chat4all_workers.delivery.account_gate import GateState
from chat4all_workers.delivery.outlet import Outlet


class OutletWatch:
    """Looks at all gates."""

    def __init__(self, channel: ChannelName, outlets: Sequence[Outlet], metrics: Metrics) -> None:
        self._channel = channel
        self._outlets = outlets
        self._metrics = metrics

    def is_blocked(self) -> bool:
        """Whether no account will send for a while: what is not read stays in the log, and costs nothing there. While
        others go on, what waits for an account that is closed has to make room for theirs."""
        return all(outlet.gate.is_closed_for_long for outlet in self._outlets)

    def report(self, held: int) -> None:
        """Set the metrics; `held` is the number of deliveries in memory."""
        states = Counter(outlet.gate.state for outlet in self._outlets)
        for state in GateState:
            self._metrics.channel_accounts.labels(channel=self._channel, state=state.value).set(states[state])
        self._metrics.deliveries_held.labels(channel=self._channel).set(held)

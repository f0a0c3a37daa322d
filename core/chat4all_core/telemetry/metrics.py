"""Every metric of the platform, declared once.

Names follow Prometheus: prefix, unit, `_total` for counters. Labels take their values from small closed sets, never
an id: `method` (the RPCs of the contracts), `code` (the names of gRPC's status codes), `channel`, `outcome`, `kind`,
`state`, `role` (the worker roles; connectors name their channel with it), `partition` (as many as topics have) and
`reason`. Below each metric stands who
writes it.
"""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

__all__ = ["Metrics"]

# From an embedded commit (0.1 ms) to a call that is given up (60 s).
_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_RECORDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)


class Metrics:
    """The metrics of one process, registered in the registry that is given; a registry takes them once."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, help: str, *labels: str) -> Counter:
            return Counter(f"chat4all_{name}", help, labels, registry=registry)

        def gauge(name: str, help: str, *labels: str) -> Gauge:
            return Gauge(f"chat4all_{name}", help, labels, registry=registry)

        def histogram(name: str, help: str, buckets: Sequence[float], *labels: str) -> Histogram:
            return Histogram(f"chat4all_{name}", help, labels, buckets=buckets, registry=registry)

        self.rpc_duration = histogram(
            "rpc_server_duration_seconds",
            "Time from the start of a call to its status; for streams, as long as they are open.",
            _SECONDS,
            "method",
            "code",
        )
        """Server, the outermost interceptor."""
        self.rpc_in_flight = gauge("rpc_server_in_flight_calls", "Calls that are being served.", "method")
        """Server, the outermost interceptor."""
        self.messages_accepted = counter(
            "messages_accepted_total", "Messages answered with SENT, repeated sends included."
        )
        """Server, the messaging service."""
        self.subscriptions_open = gauge("subscriptions_open", "Subscriptions that are open.")
        """Server, wherever a subscription is served."""
        self.subscriptions_ended = counter(
            "subscriptions_ended_total",
            "Subscriptions that ended, by GoingAway reason in lower case, or client_closed.",
            "reason",
        )
        """Server, wherever a subscription is served."""

        self.log_lag = gauge(
            "log_lag_records",
            "Records that the workers of a role have not committed yet, by partition of what they read; the same at "
            "every server.",
            "role",
            "partition",
        )
        """Server, the report of the lag; where the platform is distributed."""
        self.webhooks_received = counter(
            "webhooks_received_total",
            "Calls to webhooks: accepted, not_authentic, malformed, unavailable, or ignored (of no account of ours).",
            "channel",
            "outcome",
        )
        """Server, the webhook intake."""

        self.channel_events = counter(
            "channel_events_total", "What channels told, by kind: message, report, unsupported.", "channel", "kind"
        )
        """Workers, the inbound role."""
        self.channel_polls = counter(
            "channel_polls_total",
            "Times that a channel was asked for news: answered, failed.",
            "channel",
            "outcome",
        )
        """Workers, the poller."""

        self.messages_routed = counter("messages_routed_total", "Messages that were given their sequence and stored.")
        """Workers, the router."""
        self.messages_repeated = counter(
            "messages_repeated_total",
            "Accepted messages that were dropped, for an earlier send of the same was stored.",
        )
        """Workers, the router."""
        self.batch_records = histogram("worker_batch_records", "Records handled at once.", _RECORDS, "role")
        """Workers, the runtime."""
        self.batch_duration = histogram(
            "worker_batch_duration_seconds", "Time that a role takes to handle one batch.", _SECONDS, "role"
        )
        """Workers, the runtime."""
        self.records_handled = counter("worker_records_handled_total", "Records done with and committed.", "role")
        """Workers, the runtime."""
        self.records_retried = counter("worker_records_retried_total", "Records put off to be tried again.", "role")
        """Workers, the runtime."""
        self.records_rejected = counter(
            "worker_records_rejected_total",
            "Records that could not be handled and are dead letters.",
            "role",
        )
        """Workers, the runtime; the connector, where it can't read one. What channels refuse is in deliveries."""
        self.partitions_halted = gauge(
            "worker_partitions_halted",
            "Partitions that wait for an operator: too much can't be read, or log and store contradict.",
            "role",
        )
        """Workers, the runtime and the connector."""

        self.deliveries = counter(
            "deliveries_total", "Deliveries to channels that were settled, by state.", "channel", "state"
        )
        """Workers, the connector."""
        self.delivery_call_duration = histogram(
            "delivery_call_duration_seconds", "Time that a channel takes to answer.", _SECONDS, "channel"
        )
        """Workers, the connector."""
        self.deliveries_held = gauge(
            "deliveries_held", "Deliveries that are in memory, waiting or under way.", "channel"
        )
        """Workers, the connector."""
        self.channel_accounts = gauge(
            "channel_accounts",
            "Accounts on channels that are open, paused for a while, or stopped until somebody sees to them.",
            "channel",
            "state",
        )
        """Workers, the connector."""

"""The interceptors in their order, outermost first. Each stands where it does for a reason."""

from collections.abc import Iterable

from chat4all_core.ports.token_issuer import TokenIssuer
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import Tracer
from chat4all_server.call_limits import CallLimits
from chat4all_server.interceptors.authentication import Authentication
from chat4all_server.interceptors.deadline import Deadline
from chat4all_server.interceptors.error_mapping import ErrorMapping
from chat4all_server.interceptors.interceptor import Interceptor
from chat4all_server.interceptors.metrics import CallMetrics
from chat4all_server.interceptors.rate_limiting import AddressLimit, UserLimit
from chat4all_server.interceptors.request_decoding import RequestDecoding
from chat4all_server.interceptors.trace_context import TraceContext


def interceptor_chain(
    *,
    metrics: Metrics,
    tracer: Tracer,
    issuer: TokenIssuer,
    public_methods: Iterable[str],
    limits: CallLimits,
) -> tuple[Interceptor, ...]:
    """The chain of one server."""
    return (
        CallMetrics(metrics),  # sees the final status, and times all that the others do
        TraceContext(tracer),  # everything below may log
        ErrorMapping(),  # everything below may raise
        Deadline(),  # raises; also limits checking the token
        AddressLimit(limits),  # before anything that a guesser of passwords or tokens could make expensive
        Authentication(issuer, public_methods),  # before strangers make the server decode what they sent
        UserLimit(limits, public_methods),  # needs to know who calls
        RequestDecoding(),  # raises; needs nothing below it but the service
    )

"""Counts and times calls."""

import asyncio
import time
from typing import Any

import grpc
from prometheus_client import Histogram

from chat4all_core.telemetry.metrics import Metrics
from chat4all_server.interceptors.interceptor import Behavior, Context, Interceptor, Method

_OK = grpc.StatusCode.OK
_CANCELLED = grpc.StatusCode.CANCELLED
_UNKNOWN = grpc.StatusCode.UNKNOWN


class CallMetrics(Interceptor):
    """Measures every call of a method that exists, by method and status."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__()
        self._metrics = metrics

    def wrap(self, method: Method, behavior: Behavior) -> Behavior:
        """The behavior, measured."""
        in_flight = self._metrics.rpc_in_flight.labels(method.name)
        durations = _Durations(self._metrics.rpc_duration, method.name)

        async def measured(request: Any, context: Context) -> Any:
            in_flight.inc()
            started = time.perf_counter()
            code = _OK
            try:
                return await behavior(request, context)
            except asyncio.CancelledError:
                code = _CANCELLED
                raise
            except Exception:
                code = _status_of(context)
                raise
            finally:
                in_flight.dec()
                durations[code].observe(time.perf_counter() - started)

        return measured


class _Durations(dict[grpc.StatusCode, Histogram]):
    """The histograms of one method by status, each looked up once."""

    def __init__(self, histogram: Histogram, method: str) -> None:
        super().__init__()
        self._histogram = histogram
        self._method = method

    def __missing__(self, code: grpc.StatusCode) -> Histogram:
        child: Histogram = self._histogram.labels(self._method, code.name)
        self[code] = child
        return child


def _status_of(context: Context) -> grpc.StatusCode:
    code: Any = context.code()  # None or a number until a status is set
    return code if isinstance(code, grpc.StatusCode) else _UNKNOWN

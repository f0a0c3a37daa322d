"""The gRPC server: grpc.aio's, except that it lets several calls in at once.

grpc.aio asks gRPC's core for one call of each method at a time, and for the next one some turns of the event loop and
two changes of threads later: half a millisecond to several where the processor is busy. A burst of calls stands in line
meanwhile, before anybody has looked at them. So here calls are asked for ahead, and each that is taken finds its
successor there already. Nor are methods registered with the core: grpc.aio would wait for each of them by itself, and
go through all of them at every call.

gRPC has no option for either. Of what is not its public interface this takes the class AioServer, and overrides two of
its methods; the tests tell when a release of gRPC no longer calls them.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

import grpc
from grpc._cython import cygrpc  # type: ignore[attr-defined]  # has no types

_ASKED_AHEAD = 16


class GrpcServer(grpc.aio.Server):
    """Implements grpc.aio.Server, for the running event loop."""

    def __init__(self, interceptors: Sequence[grpc.aio.ServerInterceptor], options: Sequence[tuple[str, Any]]) -> None:
        """As of `grpc.aio.server`."""
        self._server = _AskingAhead(asyncio.get_running_loop(), None, (), tuple(interceptors), tuple(options), None)

    @property
    def asked_ahead(self) -> int:
        """How many calls may come in before the event loop gets to know of the first."""
        return self._server.asked_ahead

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Iterable[grpc.GenericRpcHandler]) -> None:
        """See grpc.aio.Server."""
        self._server.add_generic_rpc_handlers(generic_rpc_handlers)

    def add_registered_method_handlers(self, service_name: str, method_handlers: Any) -> None:
        """Does nothing: whoever adds these adds generic ones too, which do the same."""

    def add_insecure_port(self, address: str) -> int:
        """See grpc.aio.Server."""
        return _bound(address, self._server.add_insecure_port(address.encode()))

    def add_secure_port(self, address: str, server_credentials: grpc.ServerCredentials) -> int:
        """See grpc.aio.Server."""
        return _bound(address, self._server.add_secure_port(address.encode(), server_credentials))

    async def start(self) -> None:
        """See grpc.aio.Server."""
        await self._server.start()

    async def stop(self, grace: float | None) -> None:
        """See grpc.aio.Server."""
        await self._server.shutdown(grace)

    async def wait_for_termination(self, timeout: float | None = None) -> bool:
        """See grpc.aio.Server."""
        terminated: bool = await self._server.wait_for_termination(timeout)
        return terminated


class _AskingAhead(cygrpc.AioServer):  # type: ignore[misc]  # has no types
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # In the order in which the core answers them.
        self._asked: deque[asyncio.Task[Any]] = deque()

    @property
    def asked_ahead(self) -> int:
        return len(self._asked)

    def _make_request_call_future(self, method: bytes | None) -> "asyncio.Task[Any]":
        """The task that brings the next call. `method` is None, for no methods are registered."""
        while len(self._asked) <= _ASKED_AHEAD:
            asked: asyncio.Task[Any] = super()._make_request_call_future(method)
            asked.add_done_callback(_retrieve)
            self._asked.append(asked)
        return self._asked.popleft()

    async def _start_shutting_down(self) -> None:
        await super()._start_shutting_down()
        # Calls that came in and were not taken any more: the stop would wait for them until its grace is over.
        self._asked.clear()


def _retrieve(asked: "asyncio.Task[Any]") -> None:
    # Those that are left when the server stops fail, and nobody awaits them.
    if not asked.cancelled():
        asked.exception()


def _bound(address: str, port: int) -> int:
    if port == 0:
        raise RuntimeError(f"can't listen on {address}")
    return port

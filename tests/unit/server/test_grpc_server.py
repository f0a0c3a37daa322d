"""The gRPC server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import grpc

from chat4all_server.grpc_options import GRPC_OPTIONS
from chat4all_server.grpc_server import GrpcServer

Handler = Callable[[bytes, object], Awaitable[bytes]]
Call = Callable[[bytes], grpc.aio.UnaryUnaryCall[bytes, bytes]]

MANY = 200
"""Calls: more than a server asks for ahead."""
PATIENCE = 60.0


async def same(request: bytes, _: object) -> bytes:
    return request


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[tuple[GrpcServer, Call]]:
    """A server with one method, which is stopped in the end, and what calls it."""
    server = GrpcServer((), GRPC_OPTIONS)
    methods = {"Do": grpc.unary_unary_rpc_method_handler(handler)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Test", methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield server, channel.unary_unary("/test.Test/Do")
    finally:
        await server.stop(None)


async def test_calls_are_asked_for_ahead() -> None:
    """Several calls may come in at once, and as many again after many have: gRPC asks for them where it should."""
    async with serving(same) as (server, call):
        await call(b"")
        ahead = server.asked_ahead
        assert ahead > 1
        await asyncio.gather(*(call(b"") for _ in range(MANY)))
        assert server.asked_ahead == ahead


async def test_each_call_gets_its_own_answer() -> None:
    """Many calls that come together are served side by side, and each gets the answer to what it asked."""
    together = asyncio.Event()
    come = 0

    async def wait_for_all(request: bytes, _: object) -> bytes:
        nonlocal come
        come += 1
        if come == MANY:
            together.set()
        await together.wait()
        return request

    async with serving(wait_for_all) as (_, call):
        asked = [str(number).encode() for number in range(MANY)]
        assert await asyncio.wait_for(asyncio.gather(*map(call, asked)), PATIENCE) == asked


async def test_a_stop_waits_for_what_is_being_served_alone() -> None:
    """A server that is stopped while calls come answers those that it has taken, and its stop does not wait for the
    others: every call ends long before the grace does."""
    let_go = asyncio.Event()
    taken = 0

    async def wait(request: bytes, _: object) -> bytes:
        nonlocal taken
        taken += 1
        await let_go.wait()
        return request

    async with serving(wait) as (server, call):
        calls = [asyncio.ensure_future(call(b"")) for _ in range(MANY)]
        while not taken:
            await asyncio.sleep(0)
        stopping = asyncio.create_task(server.stop(10 * PATIENCE))
        await asyncio.sleep(0)
        let_go.set()
        await asyncio.wait_for(stopping, PATIENCE)
        ends = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), PATIENCE)
        assert ends.count(b"") == taken

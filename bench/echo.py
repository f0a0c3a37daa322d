"""The baseline: a gRPC server that gives back what it gets, on the same stack as the platform's, and nothing else."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import uvloop

from chat4all_server.grpc_options import GRPC_OPTIONS
from chat4all_server.grpc_server import GrpcServer

METHOD = "/bench.Echo/Echo"


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    """The server in a process of its own; gives its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.echo", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield int(await process.stdout.readline())
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def _echo(request: bytes, context: object) -> bytes:
    return request


async def _serve() -> None:
    server = GrpcServer((), GRPC_OPTIONS)
    handler = grpc.unary_unary_rpc_method_handler(_echo)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", {"Echo": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until whoever started us closes it or ends
    await server.stop(None)


if __name__ == "__main__":
    uvloop.run(_serve())

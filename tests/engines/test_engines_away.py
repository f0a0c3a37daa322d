"""What the processes of a platform say of themselves while an engine is away."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from engine_endpoints import VARIABLE
from grpc_health.v1 import health_pb2, health_pb2_grpc
from platform_process import free_port
from tools.engines import Engines, FreePorts

from chat4all_standalone.distributed.engines_file import engine_settings

NAMES = ("kafka", "cassandra", "redis", "minio")
DEADLINE = 120.0
SENDING = "chat4all.messaging.v1.MessagingService"
FOLLOWING = "chat4all.status.v1.StatusService"


class Processes:
    """A server and a router on engines of their own."""

    def __init__(
        self, engines: Engines, grpc_port: int, web_ports: Sequence[int], client: aiohttp.ClientSession
    ) -> None:
        self.engines = engines
        self.target = f"127.0.0.1:{grpc_port}"
        self._web_ports = web_ports
        self._client = client

    async def told(self, path: str) -> Sequence[tuple[int, Mapping[str, Any]]]:
        """What each of them answers."""
        answers = []
        for port in self._web_ports:
            async with self._client.get(f"http://127.0.0.1:{port}{path}") as answer:
                answers.append((answer.status, await answer.json()))
        return answers

    async def until_away(self, *parts: str) -> None:
        """Wait until both say that these are away, and nothing else."""
        async with asyncio.timeout(DEADLINE):
            while any(set(body.get("away", ())) != set(parts) for _, body in await self.told("/healthz")):
                await asyncio.sleep(0.1)

    async def until_said(self, health: Mapping[str, str]) -> None:
        """Wait until the server's health is this, by service."""
        async with asyncio.timeout(DEADLINE):
            while {service: await _health(self.target, service) for service in health} != health:
                await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Engines of the tests' own, to be frozen."""
    if VARIABLE not in os.environ:
        pytest.skip("brings up engines: see `make test-engines`")
    engines = Engines(tmp_path_factory.mktemp("engines"))
    engines.up(NAMES, ports=dict.fromkeys(NAMES, FreePorts()))
    yield engines
    engines.down(wipe=True)


@pytest.fixture(scope="module")
def ports(engines: Engines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[int]]:
    """Of a server (gRPC, plain HTTP) and of a router (plain HTTP)."""
    folder = tmp_path_factory.mktemp("processes")
    ports = [free_port() for _ in range(3)]
    endpoints = folder / "endpoints.json"
    endpoints.write_text(json.dumps({"endpoints": {name: engines.endpoint(name) for name in NAMES}}))
    settings = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CHAT4ALL_")},
        **engine_settings(endpoints),
        "CHAT4ALL_DATA_DIR": str(folder),
        "CHAT4ALL_AUTH_CREATE_KEYS": "on",
        "CHAT4ALL_SERVER_GRPC_PORT": str(ports[0]),
        "CHAT4ALL_SERVER_WEB_PORT": str(ports[1]),
        "CHAT4ALL_WORKER_WEB_PORT": str(ports[2]),
    }
    subprocess.run([sys.executable, "-m", "chat4all_core.distributed", "setup"], env=settings, check=True, timeout=300)
    with ExitStack() as stack:
        for module, *arguments in (("chat4all_server",), ("chat4all_workers", "--roles", "router")):
            stack.enter_context(_running([module, *arguments], settings, folder / f"{module}.log"))
        yield ports


@contextmanager
def _running(module: Sequence[str], settings: Mapping[str, str], log: Path) -> Iterator[None]:
    with log.open("ab") as output:
        process = subprocess.Popen([sys.executable, "-m", *module], env=settings, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.kill()
        process.wait()


@pytest.fixture
async def processes(engines: Engines, ports: Sequence[int]) -> AsyncIterator[Processes]:
    """Both, ready."""
    async with aiohttp.ClientSession() as client:
        processes = Processes(engines, ports[0], ports[1:], client)
        async with asyncio.timeout(DEADLINE):
            while not await _are_ready(processes):
                await asyncio.sleep(0.1)
        yield processes


async def _are_ready(processes: Processes) -> bool:
    try:
        return all(status == 200 for status, _ in await processes.told("/healthz"))
    except aiohttp.ClientError:
        return False


async def _health(target: str, service: str) -> str:
    async with grpc.aio.insecure_channel(target) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


async def test_without_redis_messages_are_taken(processes: Processes) -> None:
    """A Redis that does not answer makes server and worker not ready, with the reason, and following events too; they
    are alive and take messages, and ready again when it is back."""
    processes.engines.pause("redis")
    try:
        await processes.until_away("streams")
        assert all("Redis" in body["away"]["streams"] for _, body in await processes.told("/healthz"))
        assert [status for status, _ in await processes.told("/livez")] == [200, 200]
        await processes.until_said({"": "NOT_SERVING", SENDING: "SERVING", FOLLOWING: "NOT_SERVING"})
    finally:
        processes.engines.resume("redis")
    await processes.until_away()


async def test_without_kafka_and_cassandra_nothing_is_taken(processes: Processes) -> None:
    """The same for a Kafka and a Cassandra that do not answer, of which each is named; no message is taken."""
    for name in ("kafka", "cassandra"):
        processes.engines.pause(name)
    try:
        await processes.until_away("event_log", "stores")
        await processes.until_said({SENDING: "NOT_SERVING"})
        assert [status for status, _ in await processes.told("/livez")] == [200, 200]
    finally:
        for name in ("kafka", "cassandra"):
            processes.engines.resume(name)
    await processes.until_away()

"""Readiness."""

from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio

from chat4all_server.readiness import Readiness


class Engines:
    """Engines that are as ready as the test says."""

    def __init__(self) -> None:
        self.ready = True
        self.failure: Exception | None = None

    async def probe(self) -> bool:
        if self.failure is not None:
            raise self.failure
        return self.ready


async def said(health: aio.HealthServicer, service: str) -> str:
    answer = await health.Check(health_pb2.HealthCheckRequest(service=service), None)
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


async def test_health_follows_the_engines() -> None:
    """Health says of the server and of each service what the engines said last; a failing probe means no."""
    engines, health = Engines(), aio.HealthServicer()
    readiness = Readiness(engines.probe, health, ["a.Service"])
    await readiness.check()
    assert (readiness.is_ready, await said(health, ""), await said(health, "a.Service")) == (True, "SERVING", "SERVING")
    engines.ready = False
    await readiness.check()
    assert (readiness.is_ready, await said(health, "a.Service")) == (False, "NOT_SERVING")
    engines.failure = RuntimeError("away")
    await readiness.check()
    assert not readiness.is_ready


async def test_the_end_is_final() -> None:
    """Once the server is about to end, it does not become ready again."""
    health = aio.HealthServicer()
    readiness = Readiness(Engines().probe, health, [])
    await readiness.check()
    await readiness.end()
    await readiness.check()
    assert (readiness.is_ready, await said(health, "")) == (False, "NOT_SERVING")

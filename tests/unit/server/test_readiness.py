"""Readiness."""

from collections.abc import Awaitable, Callable

from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio

from chat4all_core.app.engine_watch import AWAY_SECONDS, EngineWatch
from chat4all_core.domain.errors import Reason, UnavailableError
from chat4all_server.readiness import Readiness


class Engines:
    """A log and streams that can be used or not, as the test says, and its clock."""

    def __init__(self) -> None:
        self.time = 100.0
        self.failures: dict[str, Exception] = {}

    def watch(self) -> EngineWatch:
        return EngineWatch({name: self._asked(name) for name in ("log", "streams")}, lambda: self.time)

    def _asked(self, name: str) -> Callable[[], Awaitable[object]]:
        async def ask() -> None:
            if name in self.failures:
                raise self.failures[name]

        return ask


AWAY = UnavailableError(Reason.UNAVAILABLE, "no node answers", 1)


async def said(health: aio.HealthServicer, service: str) -> str:
    answer = await health.Check(health_pb2.HealthCheckRequest(service=service), None)
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


async def test_what_is_away_for_long_is_told() -> None:
    """An engine that fails for a moment changes nothing; one that is away for longer makes the server, and each service
    that needs it, not ready, with the reason; and ready again as soon as it is back."""
    engines, health = Engines(), aio.HealthServicer()
    readiness = Readiness(engines.watch(), health, {"Sending": ["log"], "Following": ["streams"]})

    async def after(seconds: float) -> tuple[str, str, str]:
        engines.time += seconds
        await readiness.check()
        return await said(health, ""), await said(health, "Sending"), await said(health, "Following")

    assert await after(0) == ("SERVING", "SERVING", "SERVING")
    engines.failures["streams"] = AWAY
    assert await after(AWAY_SECONDS) == ("SERVING", "SERVING", "SERVING")
    assert await after(1) == ("NOT_SERVING", "SERVING", "NOT_SERVING")
    assert (readiness.away(), readiness.away("Sending")) == ({"streams": "no node answers"}, {})
    engines.failures.clear()
    assert await after(0) == ("SERVING", "SERVING", "SERVING")


async def test_nothing_is_ready_that_never_answered() -> None:
    """A server whose engine has never answered is not ready, from the first question on, whatever went wrong."""
    engines = Engines()
    engines.failures["log"] = RuntimeError("no right to ask")
    readiness = Readiness(engines.watch(), aio.HealthServicer(), {})
    await readiness.check()
    assert readiness.away() == {"log": "RuntimeError: no right to ask"}


async def test_the_end_is_final() -> None:
    """Once the server is about to end, it does not become ready again."""
    health = aio.HealthServicer()
    readiness = Readiness(Engines().watch(), health, {"Sending": ["log"]})
    await readiness.check()
    await readiness.end()
    await readiness.check()
    assert readiness.away("Sending")
    assert [await said(health, service) for service in ("", "Sending")] == ["NOT_SERVING", "NOT_SERVING"]

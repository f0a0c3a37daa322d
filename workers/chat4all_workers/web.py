"""What a worker process tells its operators over plain HTTP."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from chat4all_core.config import WorkerSection
from chat4all_workers.running import Running


class PortError(Exception):
    """The port can't be had. The message says which setting names it."""


def build_application(
    workers: Sequence[Running], registry: CollectorRegistry, away: Callable[[], Mapping[str, str]]
) -> web.Application:
    """GET /metrics, /healthz and /livez. `away` tells which engines can't be used, and why."""

    async def metrics(_: web.Request) -> web.Response:
        """Every metric of the process, as Prometheus reads it."""
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(_: web.Request) -> web.Response:
        """200 when every role works and nothing is away, otherwise 503 and why not; and the number of partitions that
        each role has."""
        lacks = {**away(), **{worker.role: "it does not work" for worker in workers if not worker.is_healthy}}
        partitions: Counter[str] = Counter()
        for worker in workers:
            partitions[worker.role] += worker.partitions
        answer = {"ready": not lacks, "partitions": partitions, **({"away": lacks} if lacks else {})}
        return web.json_response(answer, status=503 if lacks else 200)

    async def livez(_: web.Request) -> web.Response:
        """200 as long as the process works at all, whatever is away: only without this is it to be started anew."""
        return web.json_response({"alive": True})

    application = web.Application()
    application.router.add_get("/metrics", metrics)
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/livez", livez)
    return application


@asynccontextmanager
async def serving(application: web.Application, section: WorkerSection) -> AsyncIterator[int]:
    """Serve within the context; gives the port.

    Raises:
        PortError: it is taken.
    """
    runner = web.AppRunner(application, access_log=None)
    try:
        await runner.setup()
        try:
            await web.TCPSite(runner, section.address, section.web_port).start()
        except OSError as error:
            raise PortError(
                f"CHAT4ALL_WORKER_WEB_PORT: can't listen on {section.address} port {section.web_port}: {error}"
            ) from error
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()

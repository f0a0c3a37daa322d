"""What is served over plain HTTP, on a port of its own. Envoy forwards /.well-known/jwks.json to it and the
paths of `handlers` and nothing else; the other paths are for the machine's operators."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from chat4all_core.ports.token_issuer import TokenIssuer

# Short enough that a new key is known everywhere long before anybody who rotates keys by the book signs with it.
JWKS_MAX_AGE_SECONDS = 300


class Handlers(Protocol):
    """Some paths of the public API."""

    def add_to(self, application: web.Application) -> None:
        """Add their routes."""
        ...


def build_application(
    issuer: TokenIssuer,
    registry: CollectorRegistry,
    away: Callable[[str], Mapping[str, str]],
    handlers: Sequence[Handlers],
) -> web.Application:
    """The application. `away` tells what a service lacks, "" being the server as a whole; KeyError: there is none."""

    async def jwks(_: web.Request) -> web.Response:
        """The public keys of access tokens (RFC 7517)."""
        headers = {"Cache-Control": f"public, max-age={JWKS_MAX_AGE_SECONDS}"}
        return web.json_response({"keys": list(issuer.public_keys())}, headers=headers)

    async def metrics(_: web.Request) -> web.Response:
        """Every metric of the process, as Prometheus reads it."""
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def healthz(request: web.Request) -> web.Response:
        """200 when the server, or its `service`, is ready; otherwise 503 with what is away and why."""
        try:
            lacks = away(request.query.get("service", ""))
        except KeyError as error:
            raise web.HTTPNotFound from error
        return web.json_response({"ready": False, "away": lacks}, status=503) if lacks else _ready()

    async def livez(_: web.Request) -> web.Response:
        """200 as long as the process works at all, whatever is away: only without this is it to be started anew."""
        return web.json_response({"alive": True})

    application = web.Application()
    application.router.add_get("/.well-known/jwks.json", jwks)
    application.router.add_get("/metrics", metrics)
    application.router.add_get("/healthz", healthz)
    application.router.add_get("/livez", livez)
    for group in handlers:
        group.add_to(application)
    return application


def _ready() -> web.Response:
    return web.json_response({"ready": True})

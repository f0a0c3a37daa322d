"""The composition root of the distributed platform on one machine."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp

from chat4all_channels.accounts_file import load_accounts
from chat4all_core.config import Settings
from chat4all_core.distributed.setup import registered_topics, set_up
from chat4all_core.domain.channel import ChannelName
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.ports.event_log import GROUPS, delivery_requested
from chat4all_standalone.distributed.child_process import ChildProcess, ChildSettings
from chat4all_standalone.distributed.platform import DistributedPlatform, running
from chat4all_standalone.distributed.reserved_port import ReservedPort
from chat4all_standalone.distributed.supervised import Supervised
from chat4all_standalone.envoy import EnvoyProcess, EnvoySettings

_ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class ProcessCounts:
    """How many of each."""

    servers: int = 2
    routers: int = 2
    status_workers: int = 1
    inbound_workers: int = 1

    def workers(self, *, channels: bool) -> Mapping[str, int]:
        """Of each kind of worker, by the roles of its processes; `channels`: whether the platform has any. Each
        channel has a connector besides."""
        inbound = self.inbound_workers if channels else 0
        return {"router": self.routers, "status,dead_letter": self.status_workers, "inbound": inbound}


@asynccontextmanager
async def open_distributed_platform(
    settings: Settings, environ: Mapping[str, str], folder: Path, counts: ProcessCounts
) -> AsyncIterator[DistributedPlatform]:
    """Set the engines up, start all processes and keep them running within the context.

    Args:
        settings: of this process.
        environ: what children get: the environment that the settings are of.
        folder: of keys, logs and Envoy's configuration.
        counts: of processes.

    Raises:
        Those of `set_up`; AccountsFileError; OSError when a port is taken.
    """
    await set_up(settings)
    channels = list(load_accounts(settings.channels.accounts_file)) if settings.channels.accounts_file else []
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(aiohttp.ClientSession())
        children = _Children(stack, client, settings, environ, folder)
        # The first server has the port that a single one would have.
        grpc = [_reserve(stack, settings.server.grpc_port), *(_reserve(stack) for _ in range(1, counts.servers))]
        web = [_reserve(stack) for _ in grpc]
        envoy = EnvoySettings(
            public=(settings.envoy.address, settings.envoy.port),
            grpc=tuple(("127.0.0.1", port) for port in grpc),
            web=tuple(("127.0.0.1", port) for port in web),
            template=_ROOT / "envoy" / "envoy.yaml.tmpl",
            descriptors=_ROOT / "gen" / "envoy" / "chat4all.binpb",
            data_dir=folder,
        )
        platform = DistributedPlatform(
            servers=[
                children.server(number, grpc_port, web_port)
                for number, (grpc_port, web_port) in enumerate(zip(grpc, web, strict=True), 1)
            ],
            workers=[
                *(
                    children.worker(roles, number)
                    for roles, count in counts.workers(channels=bool(channels)).items()
                    for number in range(1, count + 1)
                ),
                *(children.connector(channel) for channel in channels),
            ],
            envoy=Supervised("envoy", lambda: EnvoyProcess(envoy)),
            partitions=partial(_partitions_by_role, settings, _topics_read(counts, channels)),
            notice_seconds=settings.server.drain_seconds,
        )
        await stack.enter_async_context(running(platform))
        yield platform


class _Children:
    """Makes them."""

    def __init__(
        self,
        stack: AsyncExitStack,
        client: aiohttp.ClientSession,
        settings: Settings,
        environ: Mapping[str, str],
        folder: Path,
    ) -> None:
        self._stack = stack
        self._client = client
        self._folder = folder
        self._environ = {
            **environ,
            "PYTHONUNBUFFERED": "1",
            # gRPC's core would remark on forks otherwise.
            "GRPC_ENABLE_FORK_SUPPORT": "0",
            "CHAT4ALL_AUTH_CREATE_KEYS": "on",
            "CHAT4ALL_AUTH_KEYS_DIR": str(settings.auth.keys_dir or folder / "keys"),
            "CHAT4ALL_AUTH_PAGE_TOKEN_KEY_FILE": str(settings.auth.page_token_key_file or folder / "page_token_key"),
        }

    def server(self, number: int, grpc_port: int, web_port: int) -> Supervised[ChildProcess]:
        """A server on its ports."""
        ports = {
            "CHAT4ALL_SERVER_ADDRESS": "127.0.0.1",
            "CHAT4ALL_SERVER_GRPC_PORT": str(grpc_port),
            "CHAT4ALL_SERVER_WEB_PORT": str(web_port),
        }
        return self._child(f"server-{number}", "chat4all_server", (), ports, web_port)

    def worker(self, roles: str, number: int) -> Supervised[ChildProcess]:
        """A worker with some roles, named by the first."""
        return self._worker(f"{roles.partition(',')[0]}-{number}", roles, {})

    def connector(self, channel: ChannelName) -> Supervised[ChildProcess]:
        """The connector of a channel."""
        return self._worker(f"connector-{channel}", "connector", {"CHAT4ALL_WORKER_CHANNELS": channel})

    def _worker(self, name: str, roles: str, environ: Mapping[str, str]) -> Supervised[ChildProcess]:
        port = _reserve(self._stack)
        ports = {"CHAT4ALL_WORKER_ADDRESS": "127.0.0.1", "CHAT4ALL_WORKER_WEB_PORT": str(port)}
        return self._child(name, "chat4all_workers", ("--roles", roles), {**ports, **environ}, port)

    def _child(
        self, name: str, module: str, arguments: tuple[str, ...], environ: Mapping[str, str], web_port: int
    ) -> Supervised[ChildProcess]:
        settings = ChildSettings(
            module, arguments, {**self._environ, **environ}, self._folder / f"{name}.log", web_port
        )
        return Supervised(name, lambda: ChildProcess(settings, self._client))


async def _partitions_by_role(settings: Settings, topic_of_role: Mapping[str, str]) -> Mapping[str, int]:
    """One for each where that can't be known now."""
    try:
        registered = await registered_topics(settings)
    except UnavailableError:
        return dict.fromkeys(topic_of_role, 1)
    return {role: registered[topic].partitions for role, topic in topic_of_role.items()}


def _topics_read(counts: ProcessCounts, channels: Sequence[ChannelName]) -> Mapping[str, str]:
    """By role that runs here, the topic that it reads."""
    running_roles = {
        role for roles, count in counts.workers(channels=bool(channels)).items() if count for role in roles.split(",")
    }
    of_groups = {group.removeprefix("chat4all."): topic for topic, groups in GROUPS.items() for group in groups}
    of_connectors = {f"connector.{channel}": delivery_requested(channel) for channel in channels}
    return {role: of_groups[role] for role in running_roles} | of_connectors


def _reserve(stack: AsyncExitStack, port: int = 0) -> int:
    return stack.enter_context(closing(ReservedPort(port))).number

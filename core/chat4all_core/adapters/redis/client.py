"""Redis, a single node or a cluster, for one event loop."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, ReadOnlyError, RedisError

from chat4all_core.adapters.redis.errors import RedisRefusedError, platform_error, start_error
from chat4all_core.adapters.redis.script import Call, load_script
from chat4all_core.config import RedisSection
from chat4all_core.domain.errors import UnavailableError


class RedisClient:
    """Runs scripts. Whatever fails raises UnavailableError, or RedisRefusedError for what can't ever work; never is
    anything tried again here, for only callers know what that may do."""

    def __init__(self, driver: "Redis | RedisCluster", section: RedisSection) -> None:
        self._driver = driver
        self.is_cluster = section.cluster
        self.key_prefix = section.key_prefix
        self.timeout = section.timeout_seconds

    async def run(self, call: Call) -> Any:
        """Run one script; what it returned."""
        try:
            try:
                return await self._driver.execute_command(*_by_name(call))
            except NoScriptError:
                return await self._driver.execute_command(*_by_text(call))
        except (RedisError, OSError) as error:
            raise await self._told(error) from error

    async def run_all(self, calls: Sequence[Call]) -> Sequence[Any]:
        """Run scripts in one round trip to each node; what they returned. After an error any of them may have run."""
        if not calls:
            return []
        if len(calls) == 1:
            return [await self.run(calls[0])]
        answers = await self._send([_by_name(call) for call in calls])
        unknown = [i for i, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            for i, answer in zip(unknown, await self._send([_by_text(calls[i]) for i in unknown]), strict=True):
                answers[i] = answer
        for answer in answers:
            if isinstance(answer, Exception):
                raise await self._told(answer) from answer
        return answers

    async def _send(self, commands: Sequence[Sequence[Any]]) -> list[Any]:
        try:
            pipeline: Any = self._driver.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            answers: list[Any] = await pipeline.execute(raise_on_error=False)
        except (RedisError, OSError) as error:
            raise platform_error(error) from error
        return answers

    async def _told(self, error: Exception) -> Exception:
        if isinstance(error, ReadOnlyError) and isinstance(self._driver, Redis):
            # This was the master once. Only new connections can lead to the present one.
            await self._driver.connection_pool.disconnect(inuse_connections=False)
        return platform_error(error)

    def new_connection(self) -> AbstractConnection:
        """A connection, not opened yet, on which answers may be awaited for ever; its owner closes it."""
        if isinstance(self._driver, RedisCluster):
            node = self._driver.get_random_primary_node()
            return node.connection_class(**(node.connection_kwargs | {"socket_timeout": None}))
        pool = self._driver.connection_pool
        connection: AbstractConnection = pool.connection_class(**(pool.connection_kwargs | {"socket_timeout": None}))
        return connection


@asynccontextmanager
async def open_client(section: RedisSection) -> AsyncIterator[RedisClient]:
    """Connect.

    Raises:
        UnavailableError: Redis can't be reached.
        RedisRefusedError: the URL is none, the account may not do what the platform does, or Redis is older than
            version 7.
    """
    try:
        driver = _build(section)
    except ValueError as error:  # which does not hold the URL, and so no password
        raise RedisRefusedError(f"CHAT4ALL_REDIS_URL: {error}") from None
    client = RedisClient(driver, section)
    try:
        try:
            await _probe(driver, client)
        except (UnavailableError, RedisRefusedError) as error:
            raise start_error(error) from error
        yield client
    finally:
        await driver.aclose()


async def _probe(driver: "Redis | RedisCluster", client: RedisClient) -> None:
    if isinstance(driver, RedisCluster):
        try:
            await driver.initialize()
        except (RedisError, OSError) as error:
            raise platform_error(error) from error
    await client.run(Call(load_script("probe", shared="_stream", writes=False), [f"{client.key_prefix}probe"], []))


def _by_name(call: Call) -> Sequence[Any]:
    return ["EVALSHA", call.script.sha, len(call.keys), *call.keys, *call.arguments]


def _by_text(call: Call) -> Sequence[Any]:
    # A node that restarted, or was promoted, does not know the script; this also teaches it.
    return ["EVAL", call.script.text, len(call.keys), *call.keys, *call.arguments]


def _build(section: RedisSection) -> "Redis | RedisCluster":
    url = section.url.value
    options: dict[str, Any] = {
        # Without the newer protocol, whose pushed messages would come between the answers.
        "protocol": 2,
        "socket_timeout": section.timeout_seconds,
        "socket_connect_timeout": section.timeout_seconds,
        "socket_keepalive": True,
        "retry": Retry(NoBackoff(), 0),
        "client_name": "chat4all",
    }
    if url.startswith("rediss://"):
        files = {
            "ssl_ca_certs": section.tls_ca_file,
            "ssl_certfile": section.tls_cert_file,
            "ssl_keyfile": section.tls_key_file,
        }
        options |= {name: str(path) for name, path in files.items() if path is not None}
    if section.cluster:
        # Once, to follow a slot or a primary that has moved.
        options["retry"] = Retry(NoBackoff(), 1)
        return RedisCluster.from_url(url, max_connections=section.max_connections, **options)
    pool = BlockingConnectionPool.from_url(
        url, max_connections=section.max_connections, timeout=section.timeout_seconds, **options
    )
    return Redis.from_pool(pool)

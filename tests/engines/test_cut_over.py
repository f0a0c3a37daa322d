"""The distributed platform goes on while an operator moves its topics to their next generation."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import aiohttp
import psutil
import pytest
from confluent_kafka.admin import AdminClient
from cut_over_run import CutOverRun
from distributed_process import distributed_platforms
from engine_endpoints import VARIABLE
from platform_process import PlatformProcess
from rest_user import RestUser

from chat4all_core.adapters.kafka.client_config import client_config
from chat4all_core.adapters.kafka.log_admin import KafkaLogAdmin
from chat4all_core.adapters.kafka.topic import physical_name
from chat4all_core.config import Settings, load_settings
from chat4all_core.distributed.setup import registered_topics
from chat4all_core.ports.event_log import GROUPS, MESSAGE_ACCEPTED, STATUS_UPDATED
from chat4all_core.ports.generation_registry import TopicGeneration
from chat4all_standalone.distributed.engines_file import engine_settings

pytestmark = [
    pytest.mark.skipif(not os.environ.get(VARIABLE), reason="needs engines: see `make test-engines`"),
    pytest.mark.timeout(1_200),  # every wait in it has a deadline of its own
]

DEADLINE = 120.0


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    """One platform for all tests, for making its tables takes long."""
    with distributed_platforms() as make:
        process = make(tmp_path_factory.mktemp("data"), {"CHAT4ALL_SERVER_DRAIN_SECONDS": "3"})
        yield process
        process.close()


@pytest.fixture
def platform(shared: PlatformProcess) -> PlatformProcess:
    """The platform, running."""
    if not shared.is_running:
        shared.start()
    return shared


class Operator:
    """Who moves topics of a platform."""

    def __init__(self, platform: PlatformProcess) -> None:
        self._environ: Mapping[str, str] = {**platform.settings, **engine_settings(Path(os.environ[VARIABLE]))}
        self.settings: Settings = load_settings(self._environ)
        self.admin = KafkaLogAdmin(self.settings.kafka)

    async def current(self, topic: str) -> TopicGeneration:
        """What is registered."""
        return (await registered_topics(self.settings))[topic]

    @contextlib.asynccontextmanager
    async def command(self, topic: str, partitions: int, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """The command as a process, killed in the end if it still runs."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chat4all_core.distributed", "open-generation",
            "--topic", topic, "--partitions", str(partitions), *options,
            env={**os.environ, **self._environ}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def move(self, topic: str, partitions: int, *options: str) -> str:
        """Run the command to its end; what it says."""
        async with self.command(topic, partitions, *options) as process, asyncio.timeout(DEADLINE):
            told, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
        return told.decode()

    async def ends(self, generation: TopicGeneration) -> list[int]:
        """The ends of a generation's partitions."""
        return [p.end for p in await self.admin.positions(generation, GROUPS[generation.topic])]


async def test_topics_move_under_load(platform: PlatformProcess) -> None:
    """While eight senders send, messages move from 12 to 24 partitions, by a command that is killed in the middle and
    run again, while a server is frozen that is woken afterwards; then receipts move, and messages to fewer partitions.
    Nothing acknowledged is lost, doubled or reordered, and the subscriber sees it all."""
    operator = Operator(platform)
    first = await operator.current(MESSAGE_ACCEPTED)
    sealed_ends: list[int] = []

    async def interrupted_beside_a_frozen_server() -> None:
        server = next(p for p in psutil.Process(platform.pid).children() if "chat4all_server" in p.cmdline())
        server.suspend()
        try:
            async with operator.command(MESSAGE_ACCEPTED, 24) as process:
                assert process.stdout is not None
                async with asyncio.timeout(DEADLINE):
                    while (line := await process.stdout.readline()) and b"sealed" not in line:
                        pass
            await operator.move(MESSAGE_ACCEPTED, 24)
            sealed_ends.extend(await operator.ends(first))
        finally:
            server.resume()

    async def receipts() -> None:
        await operator.move(STATUS_UPDATED, 24)

    async def to_fewer() -> None:
        await operator.move(MESSAGE_ACCEPTED, 5)

    run = CutOverRun(platform.target, 2_000, [interrupted_beside_a_frozen_server, receipts, to_fewer])
    await run.run(3)
    waits = ", ".join(f"{seconds:.1f} s" for seconds in run.longest)
    print(f"the longest sends during the interrupted command, that for receipts, and the last one: {waits}")
    # The woken server had appends left for the first generation, and nothing of them got in.
    assert await operator.ends(first) == sealed_ends
    last = await operator.current(MESSAGE_ACCEPTED)
    assert (last.generation, last.partitions) == (3, 5)
    assert (await operator.current(STATUS_UPDATED)).generation == 2


async def test_a_lost_topic_is_succeeded(platform: PlatformProcess) -> None:
    """After the topic of messages is deleted, the command refuses to go on by itself; told to, it opens the next
    generation, what was stored is still there, and the same processes go on behind it."""
    operator = Operator(platform)
    async with aiohttp.ClientSession(platform.url) as session:
        ann, ben = await RestUser.join(session), await RestUser.join(session)
        conversation = await ann.direct(ben)
        sent = [await ann.send(conversation, f"{n}") for n in range(20)]
        await _until_stored(ben, conversation, sent)
        lost = await operator.current(MESSAGE_ACCEPTED)
        name = physical_name(operator.settings.kafka.topic_prefix, MESSAGE_ACCEPTED, lost.generation)
        admin = AdminClient(client_config(operator.settings.kafka))
        await asyncio.to_thread(lambda: admin.delete_topics([name])[name].result(DEADLINE))
        async with operator.command(MESSAGE_ACCEPTED, 12) as process:
            _, errors = await process.communicate()
        assert process.returncode == 1
        assert b"--lost" in errors
        assert await operator.current(MESSAGE_ACCEPTED) == lost
        assert "open" in await operator.move(MESSAGE_ACCEPTED, 12, "--lost")
        sent += [await _send_at_last(ann, conversation, f"{n}") for n in range(20, 30)]
        await _until_stored(ben, conversation, sent)


async def _until_stored(user: RestUser, conversation: str, sent: list[str]) -> None:
    """Wait until a conversation holds these messages and no others, in this order, from sequence 1 on."""
    stored: list[tuple[int, str]] = []
    async with asyncio.timeout(DEADLINE):
        while len(stored) < len(sent):
            await asyncio.sleep(0.1)
            status, body = await user.get(f"/v1/conversations/{conversation}/messages", page_size="100")
            assert status == 200, body
            stored = [(int(m["sequence"]), m["message_id"]) for m in reversed(body["messages"])]
    assert stored == list(enumerate(sent, 1))


async def _send_at_last(user: RestUser, conversation: str, text: str) -> str:
    """Send, again while the platform can't take it; the message's id."""
    request_id = f"00000000-0000-4000-8000-{int(text):012x}"
    async with asyncio.timeout(DEADLINE):
        while True:
            status, body = await user.post(
                "/v1/messages", conversation_id=conversation, text=text, request_id=request_id
            )
            if status == 200:
                return str(body["message_id"])
            await asyncio.sleep(0.2)

"""`make run-distributed` as whoever operates it sees it."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator

import aiohttp
import psutil
import pytest
from crash_run import CrashRun
from distributed_process import distributed_platforms
from engine_endpoints import VARIABLE
from platform_process import PlatformProcess
from rest_user import RestUser

from chat4all_sdk import AsyncClient, CaughtUp, MessageCreated

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    """One platform for all tests, for making its tables takes long."""
    if VARIABLE not in os.environ:
        pytest.skip(f"{VARIABLE} is not set")
    with distributed_platforms() as make:
        process = make(tmp_path_factory.mktemp("data"), {"CHAT4ALL_SERVER_DRAIN_SECONDS": "3"})
        yield process
        process.close()


@pytest.fixture
def own(shared: PlatformProcess) -> PlatformProcess:
    """The platform, running, whatever the test before did to it."""
    if not shared.is_running:
        shared.start()
    return shared


def children(platform: PlatformProcess, *words: str) -> list[psutil.Process]:
    """Its processes whose command line has all these words."""
    return [p for p in psutil.Process(platform.pid).children() if set(words) <= set(p.cmdline())]


async def test_killed_processes_come_back_and_nothing_is_lost(own: PlatformProcess) -> None:
    """Whatever is killed, a server, a router or Envoy, is started again; what was acknowledged is stored once, in
    order, and seen once."""
    chosen = random.Random(7)

    async def kill() -> None:
        chosen.choice(children(own)).kill()

    await CrashRun(own.target, 3_000, kill).run(8)


async def test_a_rolling_restart_is_not_noticed(own: PlatformProcess) -> None:
    """While every process is replaced, no request of a REST or gRPC client fails, and a subscriber gets every
    message."""
    before = {p.pid for p in children(own, "-m")}
    done = asyncio.Event()
    async with aiohttp.ClientSession(own.url) as session, AsyncClient(own.target) as client:
        ann, ben = await RestUser.join(session), await RestUser.join(session)
        conversation = await ann.direct(ben)
        await client.login(ben.username, PASSWORD)
        seen: list[str] = []
        async with listening(client, seen):
            sending = asyncio.create_task(send_until(done, ann, conversation))
            reading = asyncio.create_task(read_until(done, client, conversation))
            await asyncio.to_thread(own.restart_rolling)
            done.set()
            sent, pages = await sending, await reading
            assert sent
            assert pages
            async with asyncio.timeout(20):
                while len(seen) < len(sent):
                    await asyncio.sleep(0.01)
        assert seen == sent
    assert before.isdisjoint({p.pid for p in children(own, "-m")})


async def test_subscribers_leave_a_server_that_has_frozen(own: PlatformProcess) -> None:
    """Whoever follows events at a server that stops answering gets them from another one, however patient their own
    client is."""
    async with aiohttp.ClientSession(own.url) as session, AsyncClient(own.target) as client:
        ann, ben = await RestUser.join(session), await RestUser.join(session)
        conversation = await ann.direct(ben)
        await client.login(ben.username, PASSWORD)
        seen: list[list[str]] = [[] for _ in range(6)]  # enough for every server to have some
        async with contextlib.AsyncExitStack() as stack:
            for device in seen:
                await stack.enter_async_context(listening(client, device, silence=3_600))
            frozen = children(own, "chat4all_server")[0]
            frozen.suspend()
            try:
                sent = await until_sent(ann, conversation)
                async with asyncio.timeout(60):
                    while any(device != [sent] for device in seen):
                        await asyncio.sleep(0.01)
            finally:
                frozen.resume()


async def until_sent(ann: RestUser, conversation: str) -> str:
    """Send, again and again until it is answered, as a client must; the message's id."""
    request_id = str(uuid.uuid4())
    while True:
        with contextlib.suppress(TimeoutError, AssertionError):
            async with asyncio.timeout(5):
                return await ann.send(conversation, "hello", request_id=request_id)


async def send_until(done: asyncio.Event, ann: RestUser, conversation: str) -> list[str]:
    """Send over REST, one message after the other; their ids."""
    sent = []
    while not done.is_set():
        sent.append(await ann.send(conversation, "hello"))
    return sent


async def read_until(done: asyncio.Event, client: AsyncClient, conversation: str) -> int:
    """Read over gRPC, again and again; how often."""
    pages = 0
    while not done.is_set():
        async with contextlib.aclosing(client.messages(conversation)) as messages:
            async for _ in messages:
                break
        pages += 1
    return pages


@contextlib.asynccontextmanager
async def listening(client: AsyncClient, seen: list[str], silence: float = 60) -> AsyncIterator[None]:
    """Note the ids of the messages that a subscription brings. It takes a stream for dead that is silent for so many
    seconds."""
    caught_up = asyncio.Event()

    async def listen() -> None:
        async with contextlib.aclosing(client.subscribe(silence=silence)) as events:
            async for event in events:
                if isinstance(event, CaughtUp):
                    caught_up.set()
                if isinstance(event, MessageCreated):
                    seen.append(event.message.message_id)

    task = asyncio.create_task(listen())
    await caught_up.wait()
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_it_stops_cleanly(own: PlatformProcess) -> None:
    """SIGTERM ends it with 0, every process included."""
    started = children(own)
    assert len(started) == 6
    assert own.signal(signal.SIGTERM) == 0
    assert psutil.wait_procs(started, timeout=10)[1] == []


def test_a_kill_leaves_no_orphan(own: PlatformProcess) -> None:
    """After kill -9 every process is gone, and the platform starts again on the same ports."""
    started = children(own)
    own.kill()
    assert psutil.wait_procs(started, timeout=10)[1] == []
    own.start()


def run_module(module: str, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """A command that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={f"CHAT4ALL_{name}": value for name, value in settings.items()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_two_supervisors_do_not_share_a_folder(own: PlatformProcess) -> None:
    """A second platform on the same data directory says so in a line and ends."""
    engines = os.environ[VARIABLE]
    answer = run_module("chat4all_standalone.distributed", "--engines", engines, DATA_DIR=str(own.data_dir))
    assert answer.returncode == 1
    assert str(own.data_dir) in answer.stderr
    assert "Traceback" not in answer.stderr

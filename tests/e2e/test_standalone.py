"""`make run` as whoever operates it sees it."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import psutil
import pytest
from platform_process import PlatformProcess
from rest_user import RestUser


@pytest.fixture
def own(tmp_path: Path) -> Iterator[PlatformProcess]:
    """A platform of this test alone."""
    process = PlatformProcess(tmp_path / "data")
    yield process
    process.close()


async def test_a_restart_keeps_everything(own: PlatformProcess) -> None:
    """Accounts, tokens, conversations and messages are there after a restart on the same data, and go on counting."""
    own.start()
    async with aiohttp.ClientSession(own.url) as session:
        ann, ben = await RestUser.join(session), await RestUser.join(session)
        conversation = await ann.direct(ben)
        message_id = await ann.send(conversation, "before")
        await ann.get(f"/v1/messages/{message_id}")
    assert own.stop() == 0
    own.start()
    async with aiohttp.ClientSession(own.url) as session:
        ann.session = ben.session = session
        last = await ann.send(conversation, "after")
        await ann.get(f"/v1/messages/{last}")
        _, body = await ben.get(f"/v1/conversations/{conversation}/messages")
    assert [(m["sequence"], m["text"]) for m in body["messages"]] == [("2", "after"), ("1", "before")]


async def test_a_log_that_is_not_the_stores_own_is_refused(own: PlatformProcess) -> None:
    """With its log lost or put back from an older copy, the platform does not start and says why: it would take new
    messages for old ones, and lose them."""
    own.start()
    older = own.data_dir.parent / "older.db"
    async with aiohttp.ClientSession(own.url) as session:
        ann, ben = await RestUser.join(session), await RestUser.join(session)
        conversation = await ann.direct(ben)
        await ann.get(f"/v1/messages/{await ann.send(conversation, 'one')}")
        assert own.stop() == 0
        shutil.copy(own.data_dir / "log.db", older)
    own.start()
    async with aiohttp.ClientSession(own.url) as session:
        ann.session = session
        await ann.get(f"/v1/messages/{await ann.send(conversation, 'two')}")
        assert own.stop() == 0
    for replace_log in ((own.data_dir / "log.db").unlink, lambda: shutil.copy(older, own.data_dir / "log.db")):
        replace_log()
        refused = run_with(DATA_DIR=str(own.data_dir), ENVOY_PORT=str(own.envoy_port), SERVER_GRPC_PORT="0")
        assert (refused.returncode, "older than" in refused.stderr) == (1, True), refused.stderr
        assert "Traceback" not in refused.stderr


async def test_it_goes_on_without_its_log_when_told_to(own: PlatformProcess) -> None:
    """After the log was lost, --lost-log begins another: what is stored stays, and conversations go on counting. Done
    again, it changes nothing."""
    own.start()
    async with aiohttp.ClientSession(own.url) as session:
        ann, ben = await RestUser.join(session), await RestUser.join(session)
        conversation = await ann.direct(ben)
        for n in range(5):
            await ann.get(f"/v1/messages/{await ann.send(conversation, f'before {n}')}")
    assert own.stop() == 0
    for file in own.data_dir.glob("log.db*"):
        file.unlink()
    for said in ("generation 2", "nothing"):
        done = run_with("--lost-log", DATA_DIR=str(own.data_dir))
        assert (done.returncode, said in done.stdout) == (0, True), done
    own.start()
    async with aiohttp.ClientSession(own.url) as session:
        ann.session = ben.session = session
        last = await ann.send(conversation, "after")
        await ann.get(f"/v1/messages/{last}")
        assert await ben.post(f"/v1/messages/{last}/read") == (200, {})
        _, body = await ben.get(f"/v1/conversations/{conversation}/messages")
    texts = ["after", *(f"before {n}" for n in reversed(range(5)))]
    assert [m["text"] for m in body["messages"]] == texts
    assert [m["sequence"] for m in body["messages"]] == ["6", "5", "4", "3", "2", "1"]


def test_it_says_what_it_serves(own: PlatformProcess) -> None:
    """The last line begins with "ready", and the lines before show how to try it."""
    own.start()
    assert own.banner[-1] == f"ready {own.url}"
    text = "\n".join(own.banner)
    for hint in ("curl", "grpcurl", "chat4all"):
        assert hint in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(own: PlatformProcess, number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C end it with 0, Envoy included."""
    own.start()
    envoy = psutil.Process(own.pid).children()
    assert len(envoy) == 1
    assert own.signal(number) == 0
    assert psutil.wait_procs(envoy, timeout=10)[1] == []


def test_a_kill_leaves_no_orphan(own: PlatformProcess) -> None:
    """After kill -9 Envoy is gone too, and the platform starts again on the same ports."""
    own.start()
    envoy = psutil.Process(own.pid).children()
    own.kill()
    assert psutil.wait_procs(envoy, timeout=10)[1] == []
    own.start()


def run_with(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """A start that is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "chat4all_standalone", *arguments],
        env={f"CHAT4ALL_{name}": value for name, value in settings.items()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_what_prevents_a_start_is_said_in_a_line(own: PlatformProcess, tmp_path: Path) -> None:
    """A data folder in use, taken ports and wrong settings each end with a clear message and no traceback."""
    own.start()
    ports = {"ENVOY_PORT": str(own.envoy_port), "SERVER_GRPC_PORT": str(own.grpc_port)}
    in_use = run_with(DATA_DIR=str(own.data_dir), ENVOY_PORT="1", SERVER_GRPC_PORT="0")
    grpc_taken = run_with(DATA_DIR=str(tmp_path / "b"), SERVER_GRPC_PORT=ports["SERVER_GRPC_PORT"])
    envoy_taken = run_with(DATA_DIR=str(tmp_path / "c"), SERVER_GRPC_PORT="0", ENVOY_PORT=ports["ENVOY_PORT"])
    wrong = run_with(ENVOY_PORT="eighty", ENVOI_PORT="80")
    expected = [
        (in_use, 1, str(own.data_dir)),
        (grpc_taken, 1, "CHAT4ALL_SERVER_GRPC_PORT"),
        (envoy_taken, 1, "CHAT4ALL_ENVOY_PORT"),
        (wrong, 2, "did you mean CHAT4ALL_ENVOY_PORT?"),
    ]
    for answer, code, hint in expected:
        assert (answer.returncode, hint in answer.stderr) == (code, True), answer.stderr
        assert "Traceback" not in answer.stderr

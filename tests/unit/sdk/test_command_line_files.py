"""The commands about files, as processes of their own."""

import asyncio
import io
import json
import os
import pty
import random
import signal
from functools import partial
from pathlib import Path

import grpc
from command_line import EXECUTABLE, CommandLine

from chat4all_sdk import AsyncClient

from .memory_platform.refusal import Refusal
from .memory_platform.server import MemoryPlatform

DATA = random.Random(4).randbytes(700_000)


async def test_files_from_beginning_to_end(as_alice: CommandLine, bob: AsyncClient, tmp_path: Path) -> None:
    """upload, list, download, link and delete work one after the other."""
    path = tmp_path / "report.pdf"
    path.write_bytes(DATA)
    (file,) = (await as_alice("--json", "files", "upload", str(path), "@bob")).json()
    assert (file["filename"], file["size_bytes"], file["state"]) == ("report.pdf", len(DATA), "AVAILABLE")
    listed = await as_alice("files", "list", "@bob")
    assert file["file_id"] in listed.out
    assert "report.pdf  alice" in listed.out
    assert (await as_alice("--json", "files", "list", "@bob")).json() == [file]
    folder = tmp_path / "got"
    folder.mkdir()
    got = await as_alice("files", "download", file["file_id"], str(folder))
    assert got.out == f"{folder / 'report.pdf'} (700.0 kB)\n"
    assert (folder / "report.pdf").read_bytes() == DATA
    again = await as_alice("files", "download", file["file_id"], str(folder))
    assert (again.code, "--force" in again.err) == (2, True)
    forced = await as_alice("--json", "files", "download", file["file_id"], str(folder), "--force")
    assert forced.json() == [{"path": str(folder / "report.pdf"), "file": file}]
    assert (await as_alice("files", "link", file["file_id"])).out.strip().endswith(file["file_id"])
    assert (await as_alice("files", "delete", file["file_id"])).code == 0
    assert (await as_alice("files", "list", "@bob")).out == ""


async def test_standard_input(as_alice: CommandLine, platform: MemoryPlatform, bob: AsyncClient) -> None:
    """- uploads standard input under the name that is given."""
    sent = await as_alice("files", "upload", "-", "@bob", "--name", "backup.tar", stdin=DATA)
    assert sent.code == 0, sent.err
    (stored,) = platform.files.uploads.values()
    assert (stored.data, stored.file.filename) == (DATA, "backup.tar")


async def test_a_message_with_a_file(as_alice: CommandLine, bob: AsyncClient, direct: str, tmp_path: Path) -> None:
    """send --file uploads a file and sends a message that carries it, with a text or without."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(DATA)
    assert (await as_alice("send", "@bob", "--file", str(path))).code == 0
    assert (await as_alice("send", "@bob", "See this", "--file", str(path))).code == 0
    second, first = await bob.list_messages(direct)
    assert (first.text, second.text) == ("", "See this")
    assert first.file is not None
    assert second.file is not None
    assert first.file.file_id != second.file.file_id
    assert f", {first.file.file_id}]" in (await as_alice("history", "@bob")).out


async def test_a_killed_upload_is_gone_on_with(
    platform: MemoryPlatform, as_alice: CommandLine, bob: AsyncClient, direct: str, tmp_path: Path
) -> None:
    """The same command after a kill -9 sends what is missing; an upload that is over meanwhile is begun anew."""
    path = tmp_path / "big"
    path.write_bytes(DATA)
    platform.files.faults.cuts.append(300_000)
    gate = platform.hold("GetUpload")
    process = await as_alice.start("files", "upload", str(path), direct)
    await platform.state.wait_until(lambda: platform.state.requests("GetUpload"))
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    gate.set()
    received = platform.files.received
    committed = next(iter(platform.files.uploads.values())).upload.committed_size
    assert (await as_alice("files", "upload", str(path), direct)).code == 0
    assert platform.files.received - received == len(DATA) - committed
    assert len(platform.state.requests("CreateUpload")) == 1
    assert os.listdir(tmp_path / "chat4all" / "uploads") == []


async def test_an_interruption_says_that_one_may_go_on(
    platform: MemoryPlatform, as_alice: CommandLine, bob: AsyncClient, direct: str, tmp_path: Path
) -> None:
    """Ctrl-C during a download, as during an upload, tells that the same command goes on."""
    path = tmp_path / "big"
    path.write_bytes(DATA)
    file = await bob.upload(direct, io.BytesIO(DATA), "f")
    for method, *command in (
        ("CreateUpload", "upload", str(path), direct),
        ("GetFile", "download", file.file_id, str(tmp_path / "got")),
    ):
        gate = platform.hold(method)
        begun = len(platform.state.requests(method))
        process = await as_alice.start("files", *command)
        await platform.state.wait_until(partial(_has_more, platform, method, begun))
        process.send_signal(signal.SIGINT)
        _, told = await process.communicate()
        gate.set()
        assert (process.returncode, b"the same command goes on" in told) == (130, True)


def _has_more(platform: MemoryPlatform, method: str, than: int) -> bool:
    return len(platform.state.requests(method)) > than


async def test_an_interrupted_upload_is_given_up(
    platform: MemoryPlatform, as_alice: CommandLine, direct: str, tmp_path: Path
) -> None:
    """`files cancel` removes what an interrupted command has left, here and there: by the file, once, or by the id."""
    path = tmp_path / "big"
    path.write_bytes(DATA)
    for by_id in (False, True):
        platform.files.faults.cuts.append(300_000)
        gate = platform.hold("GetUpload")
        begun = len(platform.state.requests("GetUpload"))
        process = await as_alice.start("files", "upload", str(path), direct)
        await platform.state.wait_until(lambda begun=begun: len(platform.state.requests("GetUpload")) > begun)
        process.send_signal(signal.SIGKILL)
        await process.communicate()
        gate.set()
        (upload_id,) = platform.files.uploads
        what = (upload_id,) if by_id else (str(path), direct)
        (answer,) = (await as_alice("--json", "files", "cancel", *what)).json()
        assert answer == {"upload_id": upload_id, "state": "CANCELLED"}
        assert platform.files.uploads == {}
    assert (await as_alice("files", "cancel", str(path), direct)).code == 0  # the id had left its record here
    again = await as_alice("files", "cancel", str(path), direct)
    assert (again.code, "no upload" in again.err) == (2, True)


async def test_a_message_that_was_not_sent(
    platform: MemoryPlatform, as_alice: CommandLine, bob: AsyncClient, direct: str, tmp_path: Path
) -> None:
    """When the upload succeeds and the send fails, the next run sends the same file; one that is gone is sent anew."""
    path = tmp_path / "f"
    path.write_bytes(DATA)
    command = ("send", direct, "--file", str(path), "--reply-to", "00000000-0000-0000-0000-000000000001")
    for _ in range(2):
        platform.fail("SendMessage", _refused())
        assert (await as_alice(*command)).code == 1
    assert len(platform.files.uploads) == 1
    platform.files.uploads.clear()
    assert (await as_alice(*command)).code == 0
    assert len(platform.files.uploads) == 1


def _refused() -> Refusal:
    return Refusal(grpc.StatusCode.NOT_FOUND, "no such message", "MESSAGE_NOT_FOUND")


async def test_exit_codes(as_alice: CommandLine, bob: AsyncClient, tmp_path: Path) -> None:
    """Wrong paths are wrong usage, refusals of the platform are 1, and both say why."""
    missing = await as_alice("files", "upload", str(tmp_path / "none"), "@bob")
    assert (missing.code, "can't read" in missing.err) == (2, True)
    unnamed = await as_alice("files", "upload", "-", "@bob")
    assert (unnamed.code, "--name" in unnamed.err) == (2, True)
    unknown = await as_alice("--json", "files", "download", "none")
    assert (unknown.code, json.loads(unknown.err)["error"]["reason"]) == (1, "FILE_NOT_FOUND")
    neither = await as_alice("send", "@bob")
    assert (neither.code, "TEXT" in neither.err) == (2, True)


async def test_no_folder_to_write_to(as_alice: CommandLine, bob: AsyncClient, direct: str, tmp_path: Path) -> None:
    """A download to a folder that does not exist is wrong usage."""
    file = await bob.upload(direct, io.BytesIO(DATA), "f")
    result = await as_alice("files", "download", file.file_id, str(tmp_path / "none" / "f"))
    assert (result.code, "can't write" in result.err) == (2, True)


async def test_a_bar_on_a_terminal_only(
    platform: MemoryPlatform, as_alice: CommandLine, bob: AsyncClient, direct: str, tmp_path: Path
) -> None:
    """A terminal sees the name and how far it is; a pipe and --json see nothing but the answer."""
    path = tmp_path / "report.pdf"
    path.write_bytes(DATA)
    assert (await as_alice("files", "upload", str(path), direct)).err == ""
    shown = await asyncio.to_thread(_on_a_terminal, as_alice, "files", "upload", str(path), direct)
    assert "report.pdf" in shown
    assert "/s" in shown
    silent = await asyncio.to_thread(_on_a_terminal, as_alice, "--json", "files", "upload", str(path), direct)
    assert json.loads(silent)["filename"] == "report.pdf"


def _on_a_terminal(command_line: CommandLine, *arguments: str) -> str:
    """What a command shows on a terminal."""
    environment = {**command_line.environment, "TERM": "xterm", "COLUMNS": "2000"}
    controller, terminal = pty.openpty()
    command = [str(EXECUTABLE), *arguments]
    actions = [(os.POSIX_SPAWN_DUP2, terminal, number) for number in (0, 1, 2)]
    process = os.posix_spawn(command[0], command, environment, file_actions=actions)
    os.close(terminal)
    shown = b""
    try:
        while piece := os.read(controller, 65536):
            shown += piece
    except OSError:  # the other end is closed
        pass
    os.close(controller)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0, shown
    return shown.decode()

"""The synchronous face, against a server in a thread of its own."""

import asyncio
import inspect
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chat4all_sdk import (
    AsyncClient,
    CaughtUp,
    Client,
    Event,
    MessageCreated,
    NotFound,
    Role,
    SendStream,
    Subscription,
    SyncSendStream,
    SyncSubscription,
    Upload,
)
from chat4all_sdk.background_loop import BackgroundLoop

from .conftest import PASSWORD
from .memory_platform.server import MemoryPlatform


@pytest.fixture
def served() -> Iterator[MemoryPlatform]:
    """A platform that serves from another thread, as the synchronous client blocks this one."""
    loop = BackgroundLoop()

    async def make() -> MemoryPlatform:
        platform = MemoryPlatform()
        await platform.start()
        return platform

    platform = loop.run(make())
    try:
        yield platform
    finally:
        loop.run(platform.kill())
        loop.close()


@pytest.fixture
def client(served: MemoryPlatform) -> Iterator[Client]:
    """A client that is logged in as alice."""
    with Client(served.target, timeout=10) as client:
        client.register("alice", PASSWORD)
        client.login("alice", PASSWORD)
        yield client


def test_conversation_from_beginning_to_end(client: Client) -> None:
    """The whole way of a message works without an event loop of the caller's."""
    bob = client.register("bob", PASSWORD)
    direct = client.create_direct(bob).conversation_id
    sent = client.send(direct, "hello")
    assert client.get_message(sent.message_id).text == "hello"
    assert [m.text for m in client.messages(direct)] == ["hello"]
    assert [c.conversation_id for c in client.conversations(page_size=1)] == [direct]
    group = client.create_group("Team", [bob]).conversation_id
    assert len(client.set_role(group, bob, Role.ADMIN).participants) == 2
    client.remove_participant(group, bob)
    assert len(client.get_conversation(group).participants) == 1
    client.add_participants(group, [client.find_user("bob")])
    client.mark_delivered(sent.message_id)
    client.mark_read(sent.message_id)
    assert client.get_user(bob.user_id).username == "bob"
    with pytest.raises(NotFound):
        client.get_message("none")
    client.logout()
    assert client.session is None


def test_many_threads(client: Client, served: MemoryPlatform) -> None:
    """Sixteen threads may send over one client at once, through the expiry of its token."""
    direct = client.create_direct(client.register("bob", PASSWORD)).conversation_id
    served.state.expire_tokens()
    with ThreadPoolExecutor(16) as pool:
        sent = list(pool.map(lambda number: client.send(direct, str(number)), range(200)))
    assert len({s.message_id for s in sent}) == 200
    assert sorted(int(m.text) for m in client.messages(direct)) == list(range(200))
    assert len(served.state.requests("RefreshToken")) == 1


def test_subscription(client: Client, served: MemoryPlatform) -> None:
    """Iterating over a subscription gives events; what was taken is acknowledged on leaving."""
    direct = client.create_direct(client.register("bob", PASSWORD)).conversation_id
    with client.subscribe() as events:
        assert isinstance(next(events), CaughtUp)
        client.send(direct, "1")
        client.send(direct, "2")
        for event in events:
            assert isinstance(event, MessageCreated)
            if event.message.text == "2":
                break
    assert served.state.requests("Acknowledge")[-1].cursor == "1"


def test_closing_ends_an_iteration_in_another_thread(client: Client) -> None:
    """A thread that waits for events comes free when the subscription is closed."""
    events = client.subscribe()
    assert isinstance(next(events), CaughtUp)
    rest: list[Event] = []
    thread = threading.Thread(target=lambda: rest.extend(events))
    thread.start()
    events.close()
    thread.join(10)
    assert not thread.is_alive()
    assert rest == []


def test_send_stream(client: Client, served: MemoryPlatform) -> None:
    """Messages submitted by one thread are stored in its order."""
    direct = client.create_direct(client.register("bob", PASSWORD)).conversation_id
    with client.send_stream(window=8) as stream:
        answers = [stream.submit(direct, str(number)) for number in range(100)]
        last = stream.send(direct, "last")
    assert {answer.result().conversation_id for answer in answers} == {direct}
    texts = [m.text for m in served.state.log[direct]]
    assert texts == [*(str(number) for number in range(100)), "last"]
    assert last.message_id == served.state.log[direct][-1].message_id


def test_files(client: Client, tmp_path: Path) -> None:
    """Files of every kind of source are uploaded, sent, listed and downloaded without an event loop of the caller's."""
    direct = client.create_direct(client.register("bob", PASSWORD)).conversation_id
    path = tmp_path / "report.pdf"
    path.write_bytes(bytes(300_000))
    uploads: list[Upload] = []
    file = client.upload(direct, path, on_upload=uploads.append)
    assert client.upload(direct, path, upload_id=uploads[0].upload_id) == file
    other = client.upload(direct, (bytes(100_000) for _ in range(3)), "zeros")
    assert other.sha256 == file.sha256
    assert [f.filename for f in client.files(direct, page_size=1)] == ["zeros", "report.pdf"]
    assert client.get_message(client.send(direct, file_id=file.file_id).message_id).file is not None
    client.download(file.file_id, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == path.read_bytes()
    assert sum(map(len, client.download_chunks(file.file_id, offset=100_000))) == 200_000
    chunks = client.download_chunks(file.file_id)
    assert next(chunks)
    chunks.close()
    assert client.get_file(file.file_id) == file
    assert client.get_download_url(file.file_id).url
    assert client.get_upload(uploads[0].upload_id).committed_size == 300_000
    client.delete_file(file.file_id)
    with pytest.raises(NotFound):
        client.cancel_upload("none")


def test_thread_ends_with_the_client(served: MemoryPlatform) -> None:
    """The background thread lives from open to close, and a closed client may be opened again."""
    client = Client(served.target)
    before = threading.active_count()
    for _ in range(2):
        with client:
            assert threading.active_count() == before + 1
        assert threading.active_count() == before
    with pytest.raises(RuntimeError, match="not open"):
        client.me()


@pytest.mark.parametrize(
    ("face", "original"),
    [(Client, AsyncClient), (SyncSendStream, SendStream), (SyncSubscription, Subscription)],
)
def test_faces_agree(face: type, original: type) -> None:
    """Every public call of the asynchronous classes has a synchronous one with the same parameters."""
    for name, method in inspect.getmembers(original, inspect.isroutine):
        if not name.startswith("_"):
            twin = getattr(face, "close" if name == "aclose" else name)
            assert inspect.signature(twin).parameters == inspect.signature(method).parameters, name


async def test_not_from_its_own_loop(served: MemoryPlatform) -> None:
    """A call from the background thread itself is refused instead of waiting for ever."""
    loop = BackgroundLoop()

    async def call() -> None:
        loop.run(asyncio.sleep(0))

    with pytest.raises(RuntimeError, match="its own event loop"):
        await asyncio.to_thread(loop.run, call())
    await asyncio.to_thread(loop.close)

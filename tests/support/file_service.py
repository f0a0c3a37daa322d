"""The use cases of files on real stores, without a server."""

import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chat4all_core.adapters.content.content_hasher import open_content_hasher
from chat4all_core.adapters.content.type_detector import detect_type
from chat4all_core.adapters.folder.folder_links import FolderLinks
from chat4all_core.adapters.folder.folder_object_store import FolderObjectStore
from chat4all_core.adapters.folder.link import LinkSigner
from chat4all_core.adapters.sqlite.engine import open_engine
from chat4all_core.app.active_writers import ActiveWriters
from chat4all_core.app.clean_up_files import CleanUpFiles
from chat4all_core.app.create_upload import CreateUpload
from chat4all_core.app.delete_file import DeleteFile
from chat4all_core.app.direct_upload import DirectUpload
from chat4all_core.app.discard_upload import DiscardUpload
from chat4all_core.app.file_policy import FilePolicy
from chat4all_core.app.finish_upload import FinishUpload
from chat4all_core.app.hand_over import HandOver
from chat4all_core.app.memory_budget import MemoryBudget
from chat4all_core.app.read_files import ReadFiles
from chat4all_core.app.upload_file import UploadFile
from chat4all_core.app.watch_upload import CancelUpload, GetUpload
from chat4all_core.app.write_upload import Chunk, WriteUpload
from chat4all_core.domain.conversation import Conversation, ConversationType, Participation, Role
from chat4all_core.domain.file import File
from chat4all_core.domain.ids import ConversationId, ParticipantId, UserId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.content_hash import ContentHasher
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.file_store import Quota
from chat4all_core.ports.linked_store import LinkedStore
from chat4all_core.ports.object_store import ObjectStore

ANN = UserId(ParticipantId("ann"))
BEN = UserId(ParticipantId("ben"))
EVE = UserId(ParticipantId("eve"))
ROOM = ConversationId("room")
OTHER_ROOM = ConversationId("other-room")


@dataclass
class TestClock:
    """Time that moves when a test says so."""

    __test__ = False
    now: Timestamp = field(default_factory=lambda: Timestamp(1_700_000_000 * SECOND))

    def __call__(self) -> Timestamp:
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now = Timestamp(self.now + round(seconds * SECOND))


@dataclass
class FileService:
    """The use cases of one process; another one on the same stores knows nothing of its writers."""

    engine: Engine
    objects: ObjectStore
    clock: TestClock
    policy: FilePolicy = field(
        default_factory=lambda: FilePolicy(Quota(1 << 30, 1_000), hand_over_seconds=0, patience_seconds=0)
    )
    part_size: int = 64
    hasher: ContentHasher = field(default_factory=open_content_hasher)
    budget: MemoryBudget = field(default_factory=lambda: MemoryBudget(1 << 20))
    links: LinkedStore | None = None

    def __post_init__(self) -> None:
        files, objects, clock, policy = self.engine.files, self.objects, self.clock, self.policy
        conversations = self.engine.conversations
        self.writers = ActiveWriters()
        hand_over = HandOver(files, policy.hand_over_seconds)
        self.discard = DiscardUpload(files=files, objects=objects, clock=clock)
        finish = FinishUpload(files=files, objects=objects, hasher=self.hasher, detect_type=detect_type, clock=clock)
        self.create = CreateUpload(
            conversations=conversations,
            files=files,
            objects=objects,
            clock=clock,
            new_id=lambda: str(uuid.uuid4()),
            policy=policy,
            part_size=lambda _: self.part_size,
        )
        self.write = WriteUpload(
            files=files,
            conversations=conversations,
            objects=objects,
            hasher=self.hasher,
            finish=finish,
            writers=self.writers,
            hand_over=hand_over,
            budget=self.budget,
            clock=clock,
            policy=policy,
        )
        self.get_upload = GetUpload(files=files, conversations=conversations, hand_over=hand_over, clock=clock)
        self.cancel = CancelUpload(files=files, conversations=conversations, writers=self.writers, discard=self.discard)
        self.upload_file = UploadFile(create=self.create, write=self.write, cancel=self.cancel)
        self.direct = DirectUpload(
            files=files,
            conversations=conversations,
            objects=objects,
            finish=finish,
            writers=self.writers,
            clock=clock,
            policy=policy,
        )
        self.read = ReadFiles(conversations=conversations, files=files, objects=objects, clock=clock, policy=policy)
        self.delete = DeleteFile(conversations=conversations, files=files, objects=objects)
        self.clean_up = CleanUpFiles(
            files=files, objects=objects, discard=self.discard, writers=self.writers, clock=clock
        )

    async def bytes_of(self, file: File) -> bytes:
        """Everything that lies in the store of a file."""
        return b"".join([piece async for piece in self.read.content(file, 0, file.size)])


async def stream(*pieces: bytes | Chunk, cut: BaseException | None = None) -> AsyncIterator[Chunk]:
    """A stream of chunks; one that is cut raises at its end."""
    for piece in pieces:
        yield piece if isinstance(piece, Chunk) else Chunk(piece)
    if cut is not None:
        raise cut


FINISH = Chunk(b"", finish=True)


@asynccontextmanager
async def open_file_service(folder: Path, clock: TestClock | None = None, **options: Any) -> AsyncIterator[FileService]:
    """The use cases on SQLite and a folder."""
    clock = clock or TestClock()
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(open_engine(folder, clock))
        signer = LinkSigner(b"k" * 32, clock)
        objects = await FolderObjectStore.open(folder / "files", signer, clock, "http://localhost:8080")
        stack.push_async_callback(objects.aclose)
        await make_rooms(engine)
        yield FileService(engine, objects, clock, links=FolderLinks(objects, signer), **options)


@asynccontextmanager
async def open_file_service_on(objects: ObjectStore, folder: Path, **options: Any) -> AsyncIterator[FileService]:
    """The use cases on SQLite and another object store."""
    clock = TestClock()
    async with open_engine(folder, clock) as engine:
        await make_rooms(engine)
        yield FileService(engine, objects, clock, **options)


async def make_rooms(engine: Engine) -> None:
    """Two conversations: Ann and Ben share one, and Ann and Eve the other."""
    for room, members in ((ROOM, (ANN, BEN)), (OTHER_ROOM, (ANN, EVE))):
        stays = tuple(Participation(m, Role.ADMIN if m == ANN else Role.MEMBER, 1, None, 0) for m in members)
        await engine.conversations.create(Conversation(room, ConversationType.GROUP, "", ANN, Timestamp(0), 1, stays))


def split(data: bytes, sizes: Iterable[int]) -> list[bytes]:
    """The bytes in pieces of these sizes, and the rest in one."""
    pieces, start = [], 0
    for size in sizes:
        pieces.append(data[start : start + size])
        start += size
    return [*pieces, data[start:]]

"""The use cases of files, which the gRPC service and the HTTP handlers share."""

import uuid
from dataclasses import dataclass

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
from chat4all_core.app.write_upload import WriteUpload
from chat4all_core.config import FilesSection
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.file_storage import FileStorage
from chat4all_core.ports.file_store import FileStore, Quota
from chat4all_core.ports.linked_store import LinkedStore
from chat4all_core.ports.object_store import ObjectStore


@dataclass(frozen=True, slots=True)
class FileUseCases:
    """All of one process: writers of one upload must know of each other."""

    create_upload: CreateUpload
    write_upload: WriteUpload
    get_upload: GetUpload
    cancel_upload: CancelUpload
    upload_file: UploadFile
    direct_upload: DirectUpload
    read_files: ReadFiles
    delete_file: DeleteFile
    clean_up: CleanUpFiles
    objects: ObjectStore
    links: LinkedStore | None


def build_file_use_cases(
    files: FileStore, conversations: ConversationStore, storage: FileStorage, clock: Clock, settings: FilesSection
) -> FileUseCases:
    """Wire them up."""
    objects = storage.objects
    policy = FilePolicy(
        quota=Quota(settings.max_bytes_per_user, settings.max_uploads_per_user),
        max_file_bytes=settings.max_file_bytes,
        link_seconds=settings.link_seconds,
    )
    writers, hand_over = ActiveWriters(), HandOver(files, policy.hand_over_seconds)
    discard = DiscardUpload(files=files, objects=objects, clock=clock)
    finish = FinishUpload(
        files=files, objects=objects, hasher=storage.hasher, detect_type=storage.detect_type, clock=clock
    )
    create = CreateUpload(
        conversations=conversations,
        files=files,
        objects=objects,
        clock=clock,
        new_id=lambda: str(uuid.uuid4()),
        policy=policy,
    )
    write = WriteUpload(
        files=files,
        conversations=conversations,
        objects=objects,
        hasher=storage.hasher,
        finish=finish,
        writers=writers,
        hand_over=hand_over,
        budget=MemoryBudget(settings.memory_bytes),
        clock=clock,
        policy=policy,
    )
    cancel = CancelUpload(files=files, conversations=conversations, writers=writers, discard=discard)
    return FileUseCases(
        create_upload=create,
        write_upload=write,
        get_upload=GetUpload(files=files, conversations=conversations, hand_over=hand_over, clock=clock),
        cancel_upload=cancel,
        upload_file=UploadFile(create=create, write=write, cancel=cancel),
        direct_upload=DirectUpload(
            files=files,
            conversations=conversations,
            objects=objects,
            finish=finish,
            writers=writers,
            clock=clock,
            policy=policy,
        ),
        read_files=ReadFiles(conversations=conversations, files=files, objects=objects, clock=clock, policy=policy),
        delete_file=DeleteFile(conversations=conversations, files=files, objects=objects),
        clean_up=CleanUpFiles(files=files, objects=objects, discard=discard, writers=writers, clock=clock),
        objects=objects,
        links=storage.links,
    )

"""Between messages of the contract and values of files and uploads."""

from chat4all.files.v1 import file_pb2 as pb
from chat4all.files.v1 import file_service_pb2 as service_pb
from chat4all_core.app.create_upload import NewFile
from chat4all_core.app.direct_upload import PartLinks
from chat4all_core.domain.file import File
from chat4all_core.domain.upload import Upload
from chat4all_server.translate import timestamp_to_proto

CHUNK_BYTES = 512 << 10
"""What clients are told to send at a time. Half of it costs a client in Python a fifth more of the processor. Twice as
much may double it: such buffers tend to go back to the system each time that they are freed, as glibc is set by
default."""


def file_to_proto(file: File) -> pb.File:
    """A file."""
    return pb.File(
        file_id=file.file_id,
        conversation_id=file.conversation_id,
        filename=file.filename,
        size_bytes=file.size,
        mime_type=file.mime_type,
        sha256=file.sha256,
        state=file.state.value,  # type: ignore[arg-type]  # the values are those of the contract
        create_time=timestamp_to_proto(file.created_at),
        owner=file.owner,
        sha256_verified=file.sha256_verified,
    )


def upload_to_proto(upload: Upload, max_file_bytes: int) -> pb.Upload:
    """An upload."""
    return pb.Upload(
        upload_id=upload.upload_id,
        file_id=upload.file_id,
        committed_size=upload.committed_size,
        chunk_size=CHUNK_BYTES,
        max_size=min(upload.max_size, max_file_bytes),
        expire_time=timestamp_to_proto(upload.expires_at),
        size_bytes=upload.declared_size,
    )


def part_links_to_proto(links: PartLinks) -> service_pb.CreateDirectUploadResponse:
    """URLs of parts."""
    response = service_pb.CreateDirectUploadResponse(
        total_parts=links.total_parts, expire_time=timestamp_to_proto(links.expires_at)
    )
    for link in links.links:
        response.parts.add(part_number=link.number, offset=link.offset, size_bytes=link.size, url=link.url)
    return response


def new_file_from_proto(request: service_pb.CreateUploadRequest | service_pb.UploadFileRequest) -> NewFile:
    """What a client says of a file."""
    return NewFile(
        conversation_id=request.conversation_id,
        filename=request.filename,
        mime_type=request.mime_type,
        size=request.size_bytes if request.HasField("size_bytes") else None,
        sha256=request.sha256,
    )

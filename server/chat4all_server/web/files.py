"""GET and HEAD /v1/files/{file_id}/content, and POST /v1/files."""

from collections.abc import Mapping

from aiohttp import web
from google.protobuf.json_format import MessageToJson

from chat4all.files.v1 import file_service_pb2 as pb
from chat4all_core.app.create_upload import NewFile
from chat4all_core.app.file_use_cases import FileUseCases
from chat4all_core.domain.errors import invalid_field
from chat4all_core.domain.file import File
from chat4all_server.translate_file import file_to_proto
from chat4all_server.web.callers import Callers
from chat4all_server.web.content import Content, send_content
from chat4all_server.web.errors import answering_errors
from chat4all_server.web.form_upload import read_form
from chat4all_server.web.query import query_of
from chat4all_server.web.request_body import body_chunks

_NO_TYPE = "application/x-www-form-urlencoded"
"""What curl says of any body when it is not told otherwise."""


class FileHandlers:
    """What the transcoder does badly, or not at all."""

    def __init__(self, files: FileUseCases, callers: Callers) -> None:
        self._files = files
        self._callers = callers

    def add_to(self, application: web.Application) -> None:
        """Add the routes."""
        application.router.add_get("/v1/files/{file_id}/content", answering_errors(self.content))
        application.router.add_post("/v1/files", answering_errors(self.upload))

    async def content(self, request: web.Request) -> web.StreamResponse:
        """The bytes of a file."""
        read = self._files.read_files
        caller = await self._callers.admit_user(request)
        file = await read.available(caller, request.match_info["file_id"])
        content = Content(
            file.file_id, file.size, file.filename, file.mime_type, lambda start, end: read.content(file, start, end)
        )
        return await send_content(request, content)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """A file in one request: as a form, or as the body itself."""
        caller = await self._callers.admit_user(request)
        if request.content_type == "multipart/form-data":
            new, chunks = await read_form(request)
        else:
            new = _described(query_of(request), request)
            chunks = body_chunks(request)
        return _answer(await self._files.upload_file(caller, new, chunks))


def _described(query: Mapping[str, str], request: web.Request) -> NewFile:
    declared = query.get("size_bytes")
    if declared is not None and not declared.isdecimal():
        raise invalid_field("size_bytes", "must be a whole number")
    given_type = request.headers.get("Content-Type", "")
    return NewFile(
        conversation_id=query.get("conversation_id", ""),
        filename=query.get("filename", ""),
        mime_type=query.get("mime_type") or ("" if given_type.startswith(_NO_TYPE) else given_type),
        size=request.content_length if declared is None else int(declared),
        sha256=query.get("sha256", ""),
    )


def _answer(file: File) -> web.Response:
    response = pb.UploadFileResponse(file=file_to_proto(file))
    text = MessageToJson(
        response, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, indent=None
    )
    return web.Response(text=text, content_type="application/json")

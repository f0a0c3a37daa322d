"""Links to download the files that messages carry."""

from collections.abc import Awaitable, Callable, Iterable

from chat4all.messaging.v1 import message_pb2
from chat4all_core.domain.ids import FileId

MakeLink = Callable[[FileId, str, str], Awaitable[str]]
"""See ReadFiles.link."""


async def add_links(messages: Iterable[message_pb2.Message], make_link: MakeLink) -> None:
    """Fill in the links of messages that their reader may see."""
    for message in messages:
        if message.HasField("file"):
            file = message.file
            file.download_url = await make_link(FileId(file.file_id), file.filename, file.mime_type)

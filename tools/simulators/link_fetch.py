"""Files that a business names by their URL."""

import aiohttp


class LinkError(Exception):
    """The file can't be had."""


async def fetch_link(session: aiohttp.ClientSession, url: str, max_bytes: int) -> tuple[bytes, str]:
    """The file and its type, as the server says.

    Raises:
        LinkError: no answer within 30 s, another status than 200, or more than max_bytes.
    """
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=30)) as response:
            if response.status != 200:
                raise LinkError(f"HTTP status {response.status}")
            content = bytearray()
            async for piece in response.content.iter_chunked(1 << 16):
                content += piece
                if len(content) > max_bytes:
                    raise LinkError(f"larger than {max_bytes} bytes")
            return bytes(content), response.content_type
    except (TimeoutError, aiohttp.ClientError, ValueError) as error:
        raise LinkError(f"{type(error).__name__}: {error}") from None

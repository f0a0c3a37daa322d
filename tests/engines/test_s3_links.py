"""What URLs to an S3 store let people do, and what nobody may do without one."""

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit

import urllib3
from s3_store import open_store
from s3_uploads import PART_SIZE, begin, make, read

from chat4all_core.config import S3Section
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.object_store import ObjectStore

HOUR = 3_600


async def http(method: str, url: str, body: bytes | None = None, **headers: str) -> urllib3.BaseHTTPResponse:
    """Ask as a stranger does."""
    return await asyncio.to_thread(urllib3.request, method, url, body=body, headers=headers, retries=False)


async def test_nobody_gets_in_without_a_link(s3_store: ObjectStore, s3_section: S3Section) -> None:
    """A bucket that was set up gives strangers neither objects nor names, and takes nothing of theirs."""
    await make(s3_store, "files/secret", b"abc")
    bucket = f"{s3_section.endpoint_url}/{s3_section.bucket}"
    for method, path in (
        ("GET", "/files/secret"),
        ("HEAD", "/files/secret"),
        ("GET", "?list-type=2"),
        ("GET", "?uploads"),
    ):
        assert (await http(method, bucket + path)).status == 403
    assert (await http("PUT", f"{bucket}/files/secret", b"xyz")).status == 403
    assert (await http("DELETE", f"{bucket}/files/secret")).status == 403
    assert await read(s3_store, "files/secret", 3) == b"abc"


async def test_a_link_leads_to_its_object_alone(s3_store: ObjectStore) -> None:
    """It gives the object, whole or a range, under the file's name and type; changed, or used otherwise, nothing."""
    await make(s3_store, "files/a", b"0123456789")
    await make(s3_store, "files/b", b"secret")
    url = await s3_store.presign_get("files/a", 'Übersicht "1".txt', "text/plain", HOUR)
    whole = await http("GET", url)
    assert (whole.status, whole.data) == (200, b"0123456789")
    assert whole.headers["Content-Type"] == "text/plain"
    assert whole.headers["Content-Disposition"].startswith("attachment;")
    assert "filename*=UTF-8''%C3%9Cbersicht%20%221%22.txt" in whole.headers["Content-Disposition"]
    part = await http("GET", url, Range="bytes=2-4")
    assert (part.status, part.data) == (206, b"234")
    for changed in (url.replace("files/a", "files/b"), url.replace("text%2Fplain", "text%2Fhtml"), url[:-1] + "g"):
        assert (await http("GET", changed)).status == 403
    for method in ("PUT", "DELETE"):
        assert (await http(method, url)).status == 403


async def test_a_link_ends_with_its_time(s3_section: S3Section) -> None:
    """What was signed longer ago than it was to last is refused, be it for reading or for writing."""
    async with open_store(s3_section, lambda: Timestamp(system_clock() - 2 * HOUR * SECOND)) as store:
        await make(store, "files/a", b"abc")
        upload = await begin(store, "files/b")
        for lifetime, status in ((HOUR, 403), (3 * HOUR, 200)):
            assert (await http("GET", await store.presign_get("files/a", "a", "text/plain", lifetime))).status == status
            url = await store.presign_part(upload, 1, 3, lifetime)
            assert (await http("PUT", url, b"abc")).status == status


async def test_a_part_link_takes_exactly_the_bytes_of_its_part(s3_store: ObjectStore) -> None:
    """More or fewer bytes are refused, and so is another part; the parts that came make up the object."""
    data = bytes(range(256)) * (PART_SIZE // 256) + b"the end"
    upload = await begin(s3_store, "files/a")
    first = await s3_store.presign_part(upload, 1, PART_SIZE, HOUR)
    second = await s3_store.presign_part(upload, 2, len(data) - PART_SIZE, HOUR)
    for url, body in (
        (second, b"the ends"),
        (second, b"the en"),
        (second.replace("partNumber=2", "partNumber=3"), b"the end"),
    ):
        assert (await http("PUT", url, body)).status == 403
    assert (await http("PUT", first, data[:PART_SIZE])).status == 200
    assert (await http("PUT", second, data[PART_SIZE:])).status == 200
    parts = await s3_store.stored_parts(upload)
    assert {number: part.size for number, part in parts.items()} == {1: PART_SIZE, 2: 7}
    await s3_store.complete(upload, [parts[1], parts[2]], len(data))
    assert await read(s3_store, "files/a", len(data)) == data


async def test_links_are_signed_for_the_public_address(s3_section: S3Section) -> None:
    """A store that clients reach under another name than the platform does gets links that are good there."""
    public = s3_section.endpoint_url.replace("127.0.0.1", "localhost")
    async with open_store(replace(s3_section, public_url=public), system_clock) as store:
        await make(store, "files/a", b"abc")
        url = await store.presign_get("files/a", "a", "text/plain", HOUR)
        assert urlsplit(url).hostname == "localhost"
        assert (await http("GET", url)).data == b"abc"
        assert (await http("GET", url.replace("localhost", "127.0.0.1"))).status == 403
        part = await store.presign_part(await begin(store, "files/b"), 1, 3, HOUR)
        assert urlsplit(part).hostname == "localhost"
        assert (await http("PUT", part, b"abc")).status == 200

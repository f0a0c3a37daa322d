"""Files over REST, through the real Envoy, with curl where people use curl."""

import asyncio
import hashlib
import io
import json
import random
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from file_people import People
from platform_process import PlatformProcess
from program import find_program
from rest_user import reason

DATA = random.Random(7).randbytes(20_000_000)
SUM = hashlib.sha256(DATA).hexdigest()


async def curl(*arguments: str) -> tuple[int, bytes, str]:
    """Run curl: exit code, output, and what it complained about."""
    process = await asyncio.create_subprocess_exec(
        find_program("curl"), "-sS", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, complaint = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out, complaint.decode()


async def test_curl_uploads_and_downloads(people: People, platform: PlatformProcess, tmp_path: Path) -> None:
    """The README's lines: a form with -F, a body with -T, a range with -r, and the whole of it."""
    path = tmp_path / "Präsentation 🎉.bin"
    path.write_bytes(DATA)
    token = f"authorization: Bearer {people.ann.token}"
    url = f"{platform.url}/v1/files"
    _, form, _ = await curl("-H", token, "-F", f"conversation_id={people.room}", "-F", f"file=@{path}", url)
    body_url = f"{url}?conversation_id={people.room}&filename=b.bin"
    _, raw, _ = await curl("-X", "POST", "-H", token, "-T", str(path), body_url)
    for answer, name in ((form, path.name), (raw, "b.bin")):
        file = json.loads(answer)["file"]
        assert (file["filename"], file["size_bytes"], file["sha256"]) == (name, str(len(DATA)), SUM)
        assert (file["state"], file["conversation_id"]) == ("AVAILABLE", people.room)
        content = f"{url}/{file['file_id']}/content"
        assert (await curl("-H", token, content))[1] == DATA
        assert (await curl("-H", token, "-r", "1000-1999", content))[1] == DATA[1000:2000]


async def test_curl_resumes(people: People, platform: PlatformProcess, tmp_path: Path) -> None:
    """An upload that was cut goes on from committed_size, and becomes the file."""
    path = tmp_path / "f"
    path.write_bytes(DATA)
    upload_id = await people.upload(len(DATA), sha256=SUM)
    content = f"{platform.url}/v1/uploads/{upload_id}/content"
    token = f"authorization: Bearer {people.ann.token}"
    code, _, _ = await curl("--limit-rate", "20M", "-m", "0.5", "-H", token, "-T", str(path), f"{content}?offset=0")
    assert code == 28
    refused = "UPLOAD_TAKEN_OVER"
    while refused:  # by the one that was cut, when that comes to its turn only now
        assert refused == "UPLOAD_TAKEN_OVER"
        offset = await people.committed(upload_id)
        assert 0 <= offset < len(DATA)
        rest = tmp_path / "rest"
        rest.write_bytes(DATA[offset:])
        _, out, _ = await curl("-H", token, "-T", str(rest), f"{content}?offset={offset}")
        body = json.loads(out)
        refused = reason(body) if "file" not in body else ""
    assert (body["file"]["state"], body["file"]["sha256"]) == ("AVAILABLE", SUM)


async def test_a_cut_anywhere_is_no_end(people: People, platform: PlatformProcess) -> None:
    """A connection that breaks in the middle of a body, of whatever kind, never makes a file."""
    upload_id = await people.upload(None)
    form = b'--b\r\nContent-Disposition: form-data; name="conversation_id"\r\n\r\n' + people.room.encode()
    form += (
        b'\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n' + DATA[:70_000] + b"\r\n--b--"
    )
    upload = f"/v1/files?conversation_id={people.room}&filename=x"
    requests = [
        ("POST", upload, "Content-Length: 100000", DATA[:70_000]),
        ("POST", upload, "Transfer-Encoding: chunked", b"%x\r\n" % 70_000 + DATA[:70_000] + b"\r\n"),
        *(
            ("POST", "/v1/files", "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000", form[:cut])
            for cut in (10, 100, 200, 300, 60_000, len(form) - 7, len(form) - 3)
        ),
        ("PUT", f"/v1/uploads/{upload_id}/content?offset=0", "Content-Length: 100000", DATA[:70_000]),
    ]
    for method, path, header, body in requests:
        _cut(platform.url, f"{method} {path} HTTP/1.1", f"authorization: Bearer {people.ann.token}", header, body)
    offset = await people.committed(upload_id)
    status, body = await people.put(upload_id, offset, DATA[offset:70_000])
    assert (status, body["upload"]["committed_size"], body.get("file")) == (200, "70000", None)
    status, body = await people.ann.get(f"/v1/conversations/{people.room}/files")
    assert (status, body["files"]) == (200, [])
    status, body = await people.put(upload_id, 70_000, b"", finish="true")
    assert (status, body["file"]["size_bytes"]) == (200, "70000")


def _cut(url: str, request: str, *headers_and_body: Any) -> None:
    *headers, body = headers_and_body
    host = urlsplit(url)
    head = "\r\n".join([request, f"Host: {host.netloc}", *headers, "", ""]).encode()
    with socket.create_connection((host.hostname, host.port)) as connection:
        connection.sendall(head + body)


async def test_a_form_must_be_whole(people: People) -> None:
    """Forms that are none, lack a field or their end, or name no conversation first, are refused."""
    field = b'--b\r\nContent-Disposition: form-data; name="conversation_id"\r\n\r\n' + people.room.encode() + b"\r\n"
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nabc\r\n'
    headers = {"authorization": f"Bearer {people.ann.token}", "content-type": "multipart/form-data; boundary=b"}
    cases = [
        (b"", "MALFORMED_REQUEST"),
        (b"nonsense", "MALFORMED_REQUEST"),
        (field + b"--b--\r\n", "FIELD_INVALID"),
        (file + field + b"--b--\r\n", "FIELD_INVALID"),
        (field + file, "MALFORMED_REQUEST"),
        (field + file + b"--c--\r\n", "MALFORMED_REQUEST"),
    ]
    for body, expected in cases:
        async with people.ann.session.post("/v1/files", data=body, headers=headers) as answer:
            assert (answer.status, reason(await answer.json())) == (400, expected), body
    async with people.ann.session.post("/v1/files", data=field + file + b"--b--\r\n", headers=headers) as answer:
        assert answer.status == 200


async def test_offsets_are_checked(people: People) -> None:
    """A gap is refused with the right offset, an overlap is passed over, a negative offset is none."""
    upload_id = await people.upload(len(DATA))
    status, body = await people.put(upload_id, 0, DATA[:9_000_000])
    assert (status, body["upload"]["committed_size"]) == (200, "9000000")
    status, body = await people.put(upload_id, 9_000_001, b"x")
    info = next(d for d in body["details"] if d["@type"].endswith("ErrorInfo"))
    assert (status, info["reason"], info["metadata"]["committed_size"]) == (400, "OFFSET_BEYOND_COMMITTED", "9000000")
    status, body = await people.put(upload_id, -1, b"x")
    assert (status, reason(body)) == (400, "FIELD_INVALID")
    status, body = await people.put(upload_id, 1_000_000, DATA[1_000_000:])
    assert (status, body["file"]["sha256"]) == (200, SUM)
    status, body = await people.put(upload_id, 0, b"anything")
    assert (status, body["file"]["sha256"]) == (200, SUM)


async def test_ranges_of_content(people: People) -> None:
    """Content answers whole, in ranges, not at all outside of it, and not again when it is known."""
    data = DATA[:1_000]
    file = await people.file(data)
    url = f"/v1/files/{file['file_id']}/content"
    cases = [
        ({}, 200, data),
        ({"range": "bytes=0-9"}, 206, data[:10]),
        ({"range": "bytes=990-"}, 206, data[990:]),
        ({"range": "bytes=-10"}, 206, data[-10:]),
        ({"range": "bytes=990-5000"}, 206, data[990:]),
        ({"range": "bytes=nonsense"}, 200, data),
        ({"range": "bytes=0-1,5-6"}, 200, data),
        ({"range": "bytes=0-9", "if-range": '"other"'}, 200, data),
        ({"range": "bytes=0-9", "if-range": f'"{file["file_id"]}"'}, 206, data[:10]),
        ({"if-none-match": f'"{file["file_id"]}"'}, 304, b""),
    ]
    token = {"authorization": f"Bearer {people.ben.token}"}
    for headers, status, expected in cases:
        async with people.ben.session.get(url, headers=headers | token) as answer:
            assert (answer.status, await answer.read()) == (status, expected), headers
            if status == 206:
                start = data.index(expected)
                assert answer.headers["content-range"] == f"bytes {start}-{start + len(expected) - 1}/1000"
    async with people.ben.session.get(url, headers={"range": "bytes=1000-"} | token) as answer:
        assert (answer.status, answer.headers["content-range"]) == (416, "bytes */1000")
        assert reason(await answer.json()) == "RANGE_INVALID"
    async with people.ben.session.head(url, headers=token) as answer:
        assert (answer.status, answer.headers["content-length"]) == (200, "1000")


async def test_a_type_is_no_page(people: People) -> None:
    """Whatever a file is said to be, no browser shows it as a page of the platform's."""
    file = await people.file(b"<script>alert(1)</script>", "a.html", mime_type="text/html")
    token = {"authorization": f"Bearer {people.ben.token}"}
    async with people.ben.session.get(f"/v1/files/{file['file_id']}/content", headers=token) as answer:
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]


async def test_a_link_needs_no_token_and_takes_no_change(people: People, platform: PlatformProcess) -> None:
    """A download URL works for anyone, by range too, until the file is deleted; a changed one does not."""
    file = await people.file(DATA[:5_000], "a b.bin")
    status, body = await people.ben.get(f"/v1/files/{file['file_id']}/download")
    assert status == 200
    url = body["download_url"]
    async with aiohttp.ClientSession() as stranger:
        async with stranger.get(url, headers={"range": "bytes=1-3"}) as answer:
            assert (answer.status, await answer.read()) == (206, DATA[1:4])
            assert "a b.bin" in answer.headers["content-disposition"]
        async with stranger.get(url[:-5] + "AAAAA") as answer:
            assert answer.status == 403
            assert link_refusal(await answer.read()) in ("LINK_INVALID", "SignatureDoesNotMatch")
        _, put, _ = await curl("-X", "PUT", "-d", "x", url)
        assert link_refusal(put) in ("LINK_INVALID", "SignatureDoesNotMatch")
        status, _ = await people.ann.call("DELETE", f"/v1/files/{file['file_id']}")
        assert status == 200
        async with stranger.get(url) as answer:
            assert answer.status == 404
    status, body = await people.ann.get(f"/v1/files/{file['file_id']}/content")
    assert (status, reason(body)) == (404, "FILE_NOT_FOUND")


async def test_parts_go_straight_to_the_store(people: People, tmp_path: Path) -> None:
    """A direct upload: every part to its own URL in any order, then complete; what is missing is named."""
    upload_id = await people.upload(len(DATA), sha256=SUM)
    status, body = await people.ann.post(f"/v1/uploads/{upload_id}/parts")
    assert (status, body["total_parts"]) == (200, 3)
    status, refused = await people.put(upload_id, 0, b"x")
    assert (status, reason(refused)) == (400, "UPLOAD_IS_DIRECT")
    async with aiohttp.ClientSession() as stranger:
        for number, part in sorted(enumerate(body["parts"]), reverse=True):
            begin, size = int(part["offset"]), int(part["size_bytes"])
            _, few, _ = await curl("-X", "PUT", "-d", "too few", part["url"])
            assert link_refusal(few) in ("FIELD_INVALID", "SignatureDoesNotMatch")
            status, incomplete = await people.ann.post(f"/v1/uploads/{upload_id}/complete")
            assert (status, reason(incomplete)) == (400, "UPLOAD_INCOMPLETE"), number
            async with stranger.put(part["url"], data=io.BytesIO(DATA[begin : begin + size])) as answer:
                assert answer.status == 200
        for _ in range(2):
            status, done = await people.ann.post(f"/v1/uploads/{upload_id}/complete")
            assert (status, done["file"]["sha256"], done["file"]["sha256_verified"]) == (200, SUM, True)
    part = tmp_path / "part"
    part.write_bytes(DATA[: int(body["parts"][0]["size_bytes"])])
    _, late, _ = await curl("-T", str(part), body["parts"][0]["url"])
    assert link_refusal(late) in ("UPLOAD_CLOSED", "NoSuchUpload")


def link_refusal(body: bytes) -> str:
    """Why a link was refused, in the platform's words, or in those of S3 when it leads there."""
    code = re.search(b"<Code>(.*)</Code>", body)
    return code[1].decode() if code else reason(json.loads(body))


async def test_messages_carry_files(people: People) -> None:
    """A file goes with a message of its own conversation, and its readers find it listed with a link."""
    file = await people.file(DATA[:1_000], "cat.bin")
    await people.ann.send(people.room, "", file_id=file["file_id"])
    async with asyncio.timeout(20):
        while not (body := (await people.ben.get(f"/v1/conversations/{people.room}/messages"))[1])["messages"]:
            await asyncio.sleep(0.02)
    carried = body["messages"][0]["file"]
    assert {key: carried[key] for key in ("file_id", "filename", "size_bytes", "mime_type", "sha256")} == {
        key: file[key] for key in ("file_id", "filename", "size_bytes", "mime_type", "sha256")
    }
    async with aiohttp.ClientSession() as stranger, stranger.get(carried["download_url"]) as answer:
        assert await answer.read() == DATA[:1_000]
    other = await people.ann.direct(people.eve)
    pending = await people.upload(len(DATA))
    pending_file = (await people.ann.get(f"/v1/uploads/{pending}"))[1]["file"]["file_id"]
    for room, file_id, expected in (
        (other, file["file_id"], (404, "FILE_NOT_FOUND")),
        (people.room, "nothing", (404, "FILE_NOT_FOUND")),
        (people.room, pending_file, (400, "FILE_NOT_AVAILABLE")),
    ):
        status, body = await people.ann.post("/v1/messages", conversation_id=room, file_id=file_id)
        assert (status, reason(body)) == expected


async def test_files_are_listed_in_pages(people: People) -> None:
    """Newest first, page by page, without gap or repetition; a token is for its list alone."""
    names = [str(n) for n in range(7)]
    for name in names:
        await people.file(b"x", name)
    seen: list[str] = []
    token = ""
    while True:
        path = f"/v1/conversations/{people.room}/files"
        status, body = await people.ben.get(path, page_size="3", page_token=token)
        assert status == 200
        seen += [file["filename"] for file in body["files"]]
        token = body["next_page_token"]
        if not token:
            break
        assert reason((await people.ann.get(path, page_token=token))[1]) == "PAGE_TOKEN_INVALID"
    assert seen == names[::-1]

"""Names of files as people, and attackers, give them: by every way a name can come."""

import json
from typing import Any

import pytest
from file_people import People
from rest_user import reason
from yarl import URL

CASES = {
    "../../etc/passwd": "passwd",
    "/etc/passwd": "passwd",
    "C:\\a\\b.txt": "b.txt",
    "..": "file",
    " . ": "file",
    ".bashrc": "bashrc",
    "gpj\u202eexe.png": "gpjexe.png",
    "图片 🎉 Größe.png": "图片 🎉 Größe.png",
    "x" * 255: "x" * 255,
    "x" * 300 + ".pdf": "x" * 251 + ".pdf",
    "图" * 100 + ".png": "图" * 83 + ".png",
}
CONTROLS = {"a\r\nb.png": "ab.png", "a\0b\x1b[31m.png": "ab[31m.png"}
"""No header of a form holds these."""


async def created(people: People, name: str) -> str:
    """What CreateUpload makes of a name."""
    status, body = await people.ann.post("/v1/uploads", conversation_id=people.room, filename=name)
    assert status == 200, body
    return str(body["file"]["filename"])


async def post_form(people: People, name: bytes) -> tuple[int, Any]:
    """A form as curl writes it."""
    body = b'--b\r\nContent-Disposition: form-data; name="conversation_id"\r\n\r\n' + people.room.encode()
    body += b'\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="' + name + b'"\r\n\r\nabc\r\n--b--\r\n'
    headers = {"authorization": f"Bearer {people.ann.token}", "content-type": "multipart/form-data; boundary=b"}
    async with people.ann.session.post("/v1/files", data=body, headers=headers) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize("given", [*CASES, *CONTROLS])
async def test_a_name_is_no_path(people: People, given: str) -> None:
    """Names lose their folders and control characters and keep their script; they have 255 bytes at most."""
    kept = (CASES | CONTROLS)[given]
    assert len(kept.encode()) <= 255
    assert await created(people, given) == kept
    file = await people.file(b"abc", given)
    assert file["filename"] == kept
    if given in CASES:
        escaped = given.encode().replace(b"\\", b"\\\\")
        status, body = await post_form(people, escaped)
        assert (status, body["file"]["filename"]) == (200, kept)
    headers = {"authorization": f"Bearer {people.ben.token}"}
    async with people.ben.session.get(f"/v1/files/{file['file_id']}/content", headers=headers) as answer:
        assert answer.headers["content-disposition"].startswith("attachment; filename=")


async def test_a_name_is_utf_8(people: People) -> None:
    """Bytes that are no UTF-8, or no header, are refused by every way, and never change a name silently."""
    latin = "Größe.png".encode("latin-1")
    for name in (latin, b"\xff\xfe", b"a\0b", b"a\x1bb"):
        status, body = await post_form(people, name)
        assert (status, reason(body)) == (400, "MALFORMED_REQUEST"), name
    headers = {"authorization": f"Bearer {people.ann.token}"}
    url = URL(f"/v1/files?conversation_id={people.room}&filename=Gr%F6%DFe.png", encoded=True)
    async with people.ann.session.post(url, data=b"abc", headers=headers) as answer:
        assert (answer.status, reason(await answer.json())) == (400, "MALFORMED_REQUEST")
    text = json.dumps({"conversation_id": people.room, "filename": "@"}).encode()
    for name in (latin, b"\\ud800"):
        status, body = await people.ann.post_text("/v1/uploads", text.replace(b"@", name))
        assert (status, reason(body)) == (400, "MALFORMED_REQUEST"), name
    status, body = await people.ben.get(f"/v1/conversations/{people.room}/files")
    assert (status, body["files"]) == (200, [])

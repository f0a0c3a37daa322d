"""Rate limits as clients of the public port meet them."""

import io
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from platform_process import PlatformProcess
from rest_user import RestUser, reason


@contextmanager
def limited(folder: Path, who: str, burst: int) -> Iterator[PlatformProcess]:
    """A platform that lets a user, or an address, call so often and then as good as never again."""
    limits = {f"CHAT4ALL_LIMIT_{who}_PER_SECOND": "0.01", f"CHAT4ALL_LIMIT_{who}_BURST": str(burst)}
    platform = PlatformProcess(folder / "data", limits)
    platform.start()
    try:
        yield platform
    finally:
        assert platform.stop() == 0


async def refused(user: RestUser, method: str, path: str, **options: Any) -> None:
    """Ask, and be told in every way to come back later."""
    headers = {"authorization": f"Bearer {user.token}"}
    async with user.session.request(method, path, headers=headers, **options) as answer:
        assert answer.status == 429, path
        expect_refusal(await answer.json(), answer.headers)


def expect_refusal(body: Any, headers: Mapping[str, str]) -> None:
    """The reason, and the time to wait twice: in the body, and for whoever reads headers alone."""
    assert reason(body) == "RATE_LIMITED"
    retry = next(d for d in body["details"] if d["@type"].endswith("RetryInfo"))
    delay = float(retry["retry_delay"].removesuffix("s"))
    assert 0 < delay <= 100
    assert delay <= int(headers["retry-after"]) < delay + 1


async def test_too_many_requests(tmp_path: Path) -> None:
    """REST callers get 429 with the reason and the time to wait, others go on."""
    with limited(tmp_path, "USER", 3) as platform:
        async with aiohttp.ClientSession(platform.url) as session:
            ann, ben = await RestUser.join(session), await RestUser.join(session)
            answers = [await ann.get("/v1/users/me") for _ in range(3)]
            assert [status for status, _ in answers] == [200, 200, 200]
            await refused(ann, "GET", "/v1/users/me")
            assert (await ben.get("/v1/users/me"))[0] == 200


async def test_files_are_calls_too(tmp_path: Path) -> None:
    """What the server answers itself, beside the transcoder, counts as a call of its user: uploads of either kind and
    content."""
    with limited(tmp_path, "USER", 4) as platform:
        async with aiohttp.ClientSession(platform.url) as session:
            ann, ben = await RestUser.join(session), await RestUser.join(session)
            room = await ann.direct(ben)
            params = {"conversation_id": room, "filename": "f"}
            status, body = await ann.call("POST", "/v1/files", params=params, data=b"abc")
            assert status == 200
            content = f"/v1/files/{body['file']['file_id']}/content"
            for _ in range(2):
                async with session.get(content, headers={"authorization": f"Bearer {ann.token}"}) as answer:
                    assert await answer.read() == b"abc"
            form = aiohttp.FormData({"conversation_id": room, "file": io.BytesIO(b"abc")})
            await refused(ann, "GET", content)
            await refused(ann, "POST", "/v1/files", params=params, data=b"abc")
            await refused(ann, "POST", "/v1/files", data=form)
            await refused(ann, "PUT", "/v1/uploads/any/content", params={"offset": "0"}, data=b"abc")
            async with session.get(content, headers={"authorization": f"Bearer {ben.token}"}) as answer:
                assert await answer.read() == b"abc"


async def test_a_body_is_refused_before_it_comes(tmp_path: Path) -> None:
    """Whoever may not call is told so after the headers of a gigabyte."""
    with limited(tmp_path, "ADDRESS", 1) as platform:
        for status in (b"HTTP/1.1 401", b"HTTP/1.1 429"):
            with socket.create_connection(("127.0.0.1", platform.envoy_port), timeout=60) as connection:
                connection.sendall(b"POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n")
                assert connection.recv(12) == status


async def test_links_are_calls_of_an_address(tmp_path: Path) -> None:
    """Who follows links has no token, and is counted by address: also when what they try are no links, or no tokens."""
    with limited(tmp_path, "ADDRESS", 2) as platform:
        async with aiohttp.ClientSession(platform.url) as session:
            statuses = []
            for method, path in (("GET", "/v1/blobs/none"), ("GET", "/v1/files/none/content")):
                async with session.request(method, path) as answer:
                    statuses.append(answer.status)
            assert statuses == [403, 401]
            nobody = RestUser(session, "", "", "none")
            await refused(nobody, "GET", "/v1/blobs/none")
            await refused(nobody, "PUT", "/v1/blobs/none", data=b"part")
            await refused(nobody, "GET", "/v1/files/none/content")
            await refused(nobody, "POST", "/v1/files", data=b"abc")


async def test_health_is_never_limited(tmp_path: Path) -> None:
    """Whoever asks for health gets an answer, however often and whatever else the address does."""
    with limited(tmp_path, "ADDRESS", 1) as platform:
        async with grpc.aio.insecure_channel(platform.target) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            for _ in range(5):
                answer = await health.Check(health_pb2.HealthCheckRequest())
                assert answer.status == health_pb2.HealthCheckResponse.SERVING
        async with aiohttp.ClientSession(platform.url) as session:
            credentials = {"username": "nobody", "password": "a wrong guess"}
            statuses = []
            for _ in range(2):
                async with session.post("/v1/auth/token", json=credentials) as answer:
                    statuses.append(answer.status)
            assert statuses == [401, 429]

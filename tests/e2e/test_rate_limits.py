"""Rate limits as clients of the public port meet them."""

from pathlib import Path

import aiohttp
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from platform_process import PlatformProcess
from rest_user import RestUser, reason


async def test_too_many_requests(tmp_path: Path) -> None:
    """REST callers get 429 with the reason and the time to wait, others go on, and health is never refused."""
    limits = {"CHAT4ALL_LIMIT_USER_PER_SECOND": "0.01", "CHAT4ALL_LIMIT_USER_BURST": "3"}
    platform = PlatformProcess(tmp_path / "data", limits)
    platform.start()
    try:
        async with aiohttp.ClientSession(platform.url) as session:
            ann, ben = await RestUser.join(session), await RestUser.join(session)
            answers = [await ann.get("/v1/users/me") for _ in range(4)]
            assert [status for status, _ in answers] == [200, 200, 200, 429]
            refused = answers[-1][1]
            assert reason(refused) == "RATE_LIMITED"
            retry = next(d for d in refused["details"] if d["@type"].endswith("RetryInfo"))
            assert 0 < float(retry["retry_delay"].removesuffix("s")) <= 100
            assert (await ben.get("/v1/users/me"))[0] == 200
    finally:
        assert platform.stop() == 0


async def test_health_is_never_limited(tmp_path: Path) -> None:
    """Whoever asks for health gets an answer, however often and whatever else the address does."""
    limits = {"CHAT4ALL_LIMIT_ADDRESS_PER_SECOND": "0.01", "CHAT4ALL_LIMIT_ADDRESS_BURST": "1"}
    platform = PlatformProcess(tmp_path / "data", limits)
    platform.start()
    try:
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
    finally:
        assert platform.stop() == 0

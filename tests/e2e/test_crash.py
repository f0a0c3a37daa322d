"""The whole platform is killed at random moments, and nothing is lost, repeated or reordered."""

import asyncio
from pathlib import Path

import pytest
from crash_run import CrashRun
from platform_process import MakePlatform


async def test_kills_lose_repeat_and_reorder_nothing(
    tmp_path: Path, pytestconfig: pytest.Config, make_platform: MakePlatform
) -> None:
    """Every acknowledged message is stored once, sequences have no gap, each sender's order holds, and a subscription
    that resumes has seen every message exactly once, whenever the process is killed."""
    platform = make_platform(tmp_path / "data")
    platform.start()

    async def kill() -> None:
        platform.kill()
        await asyncio.to_thread(platform.start)

    try:
        run = CrashRun(platform.target, pytestconfig.getoption("messages"), kill)
        await run.run(pytestconfig.getoption("kills"))
    finally:
        platform.close()

"""An upload is cut in every way there is, and little is sent again for it."""

import asyncio
import hashlib
import os
import random
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from cut_upload import Cut, CutUpload, Outcome
from cutting_proxy import cutting_proxy
from engine_endpoints import VARIABLE
from platform_process import MakePlatform, PlatformProcess
from tools.engines import Engines

PART = 8 << 20
PARTS_IN_FLIGHT = 4
"""That a server has not recorded: one that fills, and three that are being stored or wait to be recorded together. They
die with it, and with nothing else."""
BETWEEN = 4 << 20
"""What lies between client and server: in Envoy's buffer, and in the windows on either side of it."""


@pytest.mark.timeout(600)  # it takes minutes on a machine that is very busy; `make test-cuts` gives the long form more
async def test_cuts_cost_little(tmp_path: Path, pytestconfig: pytest.Config, make_platform: MakePlatform) -> None:
    """An upload whose client, connection, server and store die in turn ends with the right file; besides what was in
    flight, less than a fiftieth of it is sent again."""
    source, size = tmp_path / "source", pytestconfig.getoption("file_mebibytes") << 20
    sha256 = _write_random(source, size)
    platform = make_platform(tmp_path / "data")
    platform.start()
    try:
        async with cutting_proxy(platform.envoy_port) as proxy:
            form = pytestconfig.getoption("platform")
            upload = CutUpload(proxy, tmp_path, source, _cuts(platform, form))
            outcome = await upload.run(pytestconfig.getoption("cuts"))
            print(_summary(outcome, size))
            assert outcome.file["sha256"] == sha256
            source.unlink()
            got = await upload.download(outcome.file["file_id"])
            assert _sha256(got) == sha256
            got.unlink()
        assert outcome.sent_again - _in_flight(outcome) < size // 50
    finally:
        platform.close()
        shutil.rmtree(tmp_path / "data")  # pytest keeps folders for a while, and these may be large


def _cuts(platform: PlatformProcess, form: str) -> Mapping[str, Cut]:
    """What can die besides the client."""
    if form == "standalone":

        async def restart() -> None:
            platform.kill()
            await asyncio.to_thread(platform.start)

        return {"server": restart}

    engines = Engines(Path(os.environ[VARIABLE]).parent)

    async def kill_servers() -> None:
        for process in psutil.Process(platform.pid).children():
            with suppress(psutil.NoSuchProcess):  # it is being started again already
                if "chat4all_server" in process.cmdline():
                    process.kill()

    async def restart_store() -> None:
        engines.kill("minio")
        await asyncio.to_thread(engines.start, "minio")

    return {"server": kill_servers, "store": restart_store}


def _in_flight(outcome: Outcome) -> int:
    """The most that may be lost on its way."""
    return outcome.cuts["server"] * PARTS_IN_FLIGHT * PART + sum(outcome.cuts.values()) * BETWEEN


def _summary(outcome: Outcome, size: int) -> str:
    cuts = ", ".join(f"{name} {count}" for name, count in outcome.cuts.items())
    again = outcome.sent_again
    return f"\n{size >> 20} MiB, cuts: {cuts}; sent beyond the file: {again / (1 << 20):.1f} MiB ({again / size:.1%})"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_random(path: Path, size: int) -> str:
    """Its SHA-256."""
    random_bytes, found = random.Random(1), hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(size >> 20):
            block = random_bytes.randbytes(1 << 20)
            found.update(block)
            file.write(block)
    return found.hexdigest()

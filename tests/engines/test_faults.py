"""Processes and engines fail one after the other, under load."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_run.faults import Faults
from fault_run.run import FaultRun, Load
from platform_process import PlatformProcess
from tools.engines import Engines, FreePorts

NAMES = ("kafka", "cassandra", "redis", "minio")
SESSION_SECONDS = 6.0
"""After which our Kafka gives up a router that is silent."""


@pytest.fixture
def sizes(pytestconfig: pytest.Config) -> dict[str, int]:
    """Nodes of each engine that can have several."""
    return dict.fromkeys(("kafka", "cassandra"), pytestconfig.getoption("nodes"))


@pytest.fixture
def engines(tmp_path: Path, sizes: dict[str, int]) -> Iterator[Engines]:
    """Engines of the test's own, to be killed."""
    engines = Engines(tmp_path / "engines", report=lambda _: None)
    engines.up(NAMES, sizes=sizes, ports=dict.fromkeys(NAMES, FreePorts()))
    yield engines
    engines.down(wipe=True)


@pytest.fixture
def platform(tmp_path: Path, engines: Engines) -> Iterator[PlatformProcess]:
    """Two servers, two routers, two status workers."""
    file = str(tmp_path / "engines" / "engines.json")
    command = ["-m", "chat4all_standalone.distributed", "--engines", file, "--status-workers", "2"]
    platform = PlatformProcess(tmp_path / "data", command=command)
    platform.start()
    yield platform
    platform.close()


@pytest.mark.timeout(1_800)  # every wait in it has a deadline of its own; `make test-faults` gives the long form more
async def test_faults_lose_repeat_and_reorder_nothing(
    platform: PlatformProcess, engines: Engines, sizes: dict[str, int], pytestconfig: pytest.Config
) -> None:
    """Whatever process or engine is killed or frozen, every acknowledged message is stored once, in order and without
    a gap, becomes DELIVERED, and is seen by every subscriber once, or after a RESET in a listing."""
    seed = pytestconfig.getoption("seed") or random.randrange(1 << 32)
    load = Load(pytestconfig.getoption("messages"), pytestconfig.getoption("rate"))
    print(f"\nseed {seed}, {load.rate:.0f} messages a second")
    faults = Faults(platform, engines, sizes, SESSION_SECONDS, random.Random(seed))
    await FaultRun(platform.target, load).run(
        faults.some(pytestconfig.getoption("faults"), pytestconfig.getoption("only"))
    )

"""Messages wait in the log while nobody routes them."""

import os
from pathlib import Path

import pytest
from bench.routing.backlog import main
from engine_endpoints import VARIABLE

pytestmark = pytest.mark.skipif(VARIABLE not in os.environ, reason="takes all engines: see `make test-engines`")


async def test_a_backlog_is_drained_in_order() -> None:
    """What was accepted while no router ran is stored once one does: once each, in the order of the sends, without a
    gap."""
    await main(Path(os.environ[VARIABLE]), messages=3_000)

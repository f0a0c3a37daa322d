"""Whatever happens to an upload, it ends in the same bytes."""

import asyncio
from pathlib import Path

from file_service import open_file_service
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from upload_schedule import run_schedule


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(seed=st.integers(0, 2**32), size=st.integers(0, 700), declared=st.booleans(), steps=st.integers(0, 25))
def test_any_interleaving_ends_in_the_same_bytes(
    tmp_path: Path, seed: int, size: int, declared: bool, steps: int
) -> None:
    """Writes, cuts, queries, takeovers and processes that wake up late, in any order: the file is right in the end."""
    asyncio.run(run_schedule(lambda: open_file_service(tmp_path), seed, size, declared, steps))

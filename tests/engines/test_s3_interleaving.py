"""Whatever happens to an upload to S3, it ends in the same bytes."""

import asyncio
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from s3_uploads import open_service
from upload_schedule import run_schedule

from chat4all_core.config import S3Section


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(seed=st.integers(0, 2**32), units=st.integers(0, 200), declared=st.booleans(), steps=st.integers(0, 15))
def test_any_interleaving_ends_in_the_same_bytes(
    s3_section: S3Section, tmp_path: Path, seed: int, units: int, declared: bool, steps: int
) -> None:
    """Writes, cuts, queries, takeovers and processes that wake up late, in any order: the file is right in the end."""
    asyncio.run(run_schedule(lambda: open_service(s3_section, tmp_path), seed, units, declared, steps))

"""When a worker lets records gather."""

import pytest

from chat4all_workers.gathering import pause_after


@pytest.mark.parametrize(
    ("records", "gathered", "took", "pauses"),
    [
        pytest.param(3, 0.001, 0.001, False, id="few"),
        pytest.param(30, 0.060, 0.001, False, id="a burst at a low rate"),
        pytest.param(30, float("inf"), 0.001, False, id="the first batch"),
        pytest.param(30, 0.020, 0.001, True, id="many at a high rate"),
        pytest.param(500, 0.020, 0.001, False, id="full"),
        pytest.param(100, 0.020, 1.0, False, id="slow"),
    ],
)
def test_only_a_quick_batch_of_many_records_is_followed_by_a_pause(
    records: int, gathered: float, took: float, pauses: bool
) -> None:
    """A worker waits for more records only where many came in a short time and the batch was neither full nor slow."""
    assert (pause_after(records, 500, gathered, took) > 0) == pauses

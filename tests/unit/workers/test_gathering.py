"""When a worker lets records gather."""

import pytest

from chat4all_workers.gathering import pause_after


@pytest.mark.parametrize(
    ("records", "took", "pauses"),
    [
        pytest.param(3, 0.001, False, id="few"),
        pytest.param(100, 0.001, True, id="many"),
        pytest.param(500, 0.001, False, id="full"),
        pytest.param(100, 1.0, False, id="slow"),
    ],
)
def test_only_a_quick_batch_of_many_records_is_followed_by_a_pause(records: int, took: float, pauses: bool) -> None:
    """A worker waits for more records only where many came and the batch was neither full nor slow."""
    assert (pause_after(records, 500, took) > 0) == pauses

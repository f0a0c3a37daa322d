"""How long a worker lets records gather before it takes the next batch.

A batch costs much that does not depend on how many records are in it: round trips to the stores, a call of a script, a
poll. When records come quickly, a moment's wait fills the batch; when they come slowly, nobody should wait.
"""

_CROWD = 16
"""Records of a batch from which on it is worth it: fewer may have come together by chance."""
_RATE = 1_000
"""Records a second from which on it is worth it. So many leave a machine little room, and what waits in its queues
hides the pause."""
_INTERVAL_SECONDS = 0.04
"""From the beginning of one such batch to that of the next."""


def pause_after(records: int, most: int, gathered: float, took: float) -> float:
    """Seconds to wait after a batch.

    Args:
        records: that it had.
        most: that it could have had: a full one means that more are waiting already.
        gathered: seconds in which they came: from the beginning of the batch before to that of this one.
        took: seconds since it began.
    """
    quick = _CROWD <= records < most and records >= _RATE * gathered
    return max(0.0, _INTERVAL_SECONDS - took) if quick else 0.0

"""How long a worker lets records gather before it takes the next batch.

A batch costs much that does not depend on how many records are in it: round trips to the stores, a call of a script, a
poll. When records come quickly, a moment's wait fills the batch; when they come slowly, nobody should wait.
"""

_CROWD = 16
"""Records of a batch from which on it is worth it."""
_INTERVAL_SECONDS = 0.015
"""From the beginning of one such batch to that of the next."""


def pause_after(records: int, most: int, took: float) -> float:
    """Seconds to wait after a batch.

    Args:
        records: that it had.
        most: that it could have had: a full one means that more are waiting already.
        took: seconds since it began.
    """
    return max(0.0, _INTERVAL_SECONDS - took) if _CROWD <= records < most else 0.0

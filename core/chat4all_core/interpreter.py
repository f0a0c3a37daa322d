"""Making Python fit a process that serves for long."""

import gc

_COLLECT_AFTER = 10_000  # objects that were made and not freed; Python's own is 700
_COLLECT_OLDER_AFTER = (20, 20)


def settle_interpreter() -> None:
    """Call it once, when everything is imported and before the process serves."""
    # What was imported lives as long as the process: it need not be looked at in every collection. Calls make many
    # objects that live a few milliseconds, so collecting less often finds more of them dead.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, *_COLLECT_OLDER_AFTER)

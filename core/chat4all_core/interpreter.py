"""Making Python fit a process that serves for long."""

import gc

_COLLECT_AFTER = 10_000  # objects that were made and not freed; Python's own is 700
_COLLECT_OLDER_AFTER = (20, 20)

_LARGE_BYTES = 16 << 20  # twice that is what glibc keeps then


def settle_interpreter() -> None:
    """Call it once, when everything is imported and before the process serves."""
    # What was imported lives as long as the process: it need not be looked at in every collection. Calls make many
    # objects that live a few milliseconds, so collecting less often finds more of them dead.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, *_COLLECT_OLDER_AFTER)
    _keep_freed_memory()


def _keep_freed_memory() -> None:
    """glibc gives buffers of a chunk's size back to the system and asks for them again, page by page: for each GiB that
    passes that took 0.2 to 0.4 s. It keeps what is smaller than the largest buffer that was ever given back."""
    large = bytes(_LARGE_BYTES)  # takes no memory, for it is never written to
    del large

"""Buffers as large as chunks, again and again."""

__all__ = ["keep_large_buffers"]

_LARGE_BYTES = 8 << 20  # twice that is what glibc keeps then


def keep_large_buffers() -> None:
    """Call it before a transfer. glibc gives buffers of a chunk's size back to the system and takes them again, page by
    page, at a cost of up to 0.5 s per GiB. It keeps what is smaller than the largest buffer that was ever given back.
    """
    large = bytes(_LARGE_BYTES)  # takes no memory, for it is never written to
    del large

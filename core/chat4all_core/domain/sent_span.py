"""How exactly it is kept which message is a participant's newest own one.

Words: a *span* is a hundred sequences of a conversation. What is kept of a sender is one of their messages in the span
of their newest: so storing it costs nothing for most messages, and the newest is found among those of the span.
"""

_SPAN = 100


def span_of(sequence: int) -> int:
    """The number of the span in which a sequence lies."""
    return sequence // _SPAN


def end_of_span(sequence: int) -> int:
    """The last sequence of the span in which a sequence lies."""
    return (span_of(sequence) + 1) * _SPAN - 1

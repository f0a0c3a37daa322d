"""Sequencing: a pure function of the log and of the state before it (ADR 1).

Words: an *entry* is an accepted message with its source. The *state* of a conversation is its last
sequence. Folding the same entries from the same state gives the same rows, so a batch may be folded
and written any number of times, by any number of routers, whole or in part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chat4all_core.domain.ids import ConversationId, MessageId
from chat4all_core.domain.message import AcceptedMessage, StoredMessage
from chat4all_core.domain.source import Source


@dataclass(frozen=True, slots=True)
class Entry:
    """An accepted message and the record that holds it."""

    message: AcceptedMessage
    source: Source


@dataclass(frozen=True, slots=True)
class Folded:
    """What a batch of entries gives."""

    stored: tuple[StoredMessage, ...]
    """In the order of the entries, without the repeated ones."""
    state: Mapping[ConversationId, int]
    """The last sequence of every conversation of the batch, to be kept only once the rows are durable."""


def fold(
    entries: Sequence[Entry],
    state: Mapping[ConversationId, int],
    positions: Mapping[MessageId, Source],
) -> Folded:
    """Give each entry its sequence, dropping those whose message was stored from an earlier record.

    Args:
        entries: of one partition or several, each partition's in the order of its log.
        state: for every conversation in `entries`, the last sequence among its rows whose source lies
            before the conversation's first entry here.
        positions: the sources at which messages of `entries` are stored already. A source at or
            after the entry's own is a replay's and does not count.
    """
    last = {entry.message.conversation_id: state[entry.message.conversation_id] for entry in entries}
    first_source = dict(positions)
    stored = []
    for entry in entries:
        message, source = entry.message, entry.source
        earlier = first_source.get(message.message_id)
        if earlier is not None and earlier < source:
            continue
        first_source[message.message_id] = source
        last[message.conversation_id] += 1
        stored.append(StoredMessage(message, last[message.conversation_id], source))
    return Folded(tuple(stored), last)

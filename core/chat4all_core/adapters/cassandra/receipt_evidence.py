"""Which evidence tells something.

The log of a participant's moves to a state is kept such that of two of them the one that goes further is the later
one. So the first that goes at least to a sequence has the time at which the state first covered it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chat4all_core.domain.delivery_state import DeliveryState, Receipt
from chat4all_core.domain.ids import ConversationId, ParticipantId
from chat4all_core.domain.timestamp import Timestamp


@dataclass(frozen=True, slots=True)
class Track:
    """What the moves of a log have in common."""

    conversation_id: ConversationId
    participant: ParticipantId
    state: DeliveryState


@dataclass(frozen=True, slots=True)
class Move:
    """From `time` on, everything up to a sequence was covered."""

    up_to: int
    time: Timestamp

    def leaves_behind(self, other: "Move") -> bool:
        """Whether it goes further and is later, so that both belong into a log."""
        return self.up_to > other.up_to and self.time > other.time


def telling_moves(receipts: Iterable[Receipt]) -> Mapping[Track, list[Move]]:
    """The moves that receipts tell of, in order, without those that another one makes needless: it goes at least as
    far and is no later."""
    times: defaultdict[Track, dict[int, Timestamp]] = defaultdict(dict)
    for receipt in receipts:
        by_sequence = times[Track(receipt.conversation_id, receipt.participant, receipt.state)]
        known = by_sequence.get(receipt.sequence, receipt.time)
        by_sequence[receipt.sequence] = min(receipt.time, known)
    return {track: _telling(by_sequence) for track, by_sequence in times.items()}


def _telling(times: Mapping[int, Timestamp]) -> list[Move]:
    moves: list[Move] = []
    for sequence in sorted(times, reverse=True):
        if not moves or times[sequence] < moves[-1].time:
            moves.append(Move(sequence, times[sequence]))
    return moves[::-1]

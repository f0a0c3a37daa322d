"""Conversations and who takes part in them, at every version."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from chat4all_core.domain.errors import PermissionDeniedError, Reason, invalid_field
from chat4all_core.domain.ids import ConversationId, ParticipantId, UserId
from chat4all_core.domain.timestamp import Timestamp

MAX_PARTICIPANTS = 1_024
MAX_TITLE_BYTES = 255


class ConversationType(IntEnum):
    """What kind a conversation is. Values are those of the contract."""

    DIRECT = 1
    GROUP = 2


class Role(IntEnum):
    """What a participant may do. Values are those of the contract."""

    MEMBER = 1
    ADMIN = 2


@dataclass(frozen=True, slots=True)
class Participation:
    """One stay of a participant in a conversation."""

    participant: ParticipantId
    role: Role
    added_version: int
    """The first version of the conversation that has the participant."""
    removed_version: int | None
    """The first version that has not, or None."""
    joined_sequence: int
    """The newest sequence when the participant was added: nothing up to it counts as unread."""

    def covers(self, version: int) -> bool:
        """Whether the participant takes part at this version."""
        return self.added_version <= version and (self.removed_version is None or version < self.removed_version)


@dataclass(frozen=True)  # without slots, for the look-up below is made once per value
class Conversation:
    """A conversation with every stay that there ever was."""

    conversation_id: ConversationId
    type: ConversationType
    title: str
    creator: UserId
    created_at: Timestamp
    version: int
    """1 when made; raised by one at each change of the participants."""
    participations: tuple[Participation, ...]
    """Ordered by `added_version`, then by `participant`, so that two conversations with the same stays are equal."""

    def participants_at(self, version: int) -> tuple[Participation, ...]:
        """Those who take part at a version, ordered by id."""
        return tuple(sorted((p for p in self.participations if p.covers(version)), key=lambda p: p.participant))

    @property
    def participants(self) -> tuple[Participation, ...]:
        """Those who take part now, ordered by id."""
        return self.participants_at(self.version)

    def participation_of(self, participant: ParticipantId) -> Participation | None:
        """The present stay of a participant, or None."""
        return self._present.get(participant)

    def require_participant(self, participant: ParticipantId) -> Participation:
        """The present stay of a participant.

        Raises:
            PermissionDeniedError: NOT_A_PARTICIPANT.
        """
        found = self.participation_of(participant)
        if found is None:
            raise PermissionDeniedError(
                Reason.NOT_A_PARTICIPANT,
                "only participants may read or write a conversation",
                {"conversation_id": self.conversation_id},
            )
        return found

    @cached_property
    def _present(self) -> dict[ParticipantId, Participation]:
        return {p.participant: p for p in self.participations if p.covers(self.version)}


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """One change of a conversation's participants, from one version to the next."""

    added: Sequence[ParticipantId] = ()
    """Join as members at the new version."""
    removed: Sequence[ParticipantId] = ()
    """Leave at the new version."""
    role: tuple[ParticipantId, Role] | None = None
    """Gets this role; a role has no history."""
    joined_sequence: int = 0
    """For those added."""


def check_title(title: str) -> None:
    """Refuse a title that a conversation may not have.

    Raises:
        InvalidArgumentError: it is too long or holds NUL.
    """
    if len(title.encode()) > MAX_TITLE_BYTES or "\0" in title:
        raise invalid_field("title", f"must be at most {MAX_TITLE_BYTES} bytes of UTF-8 without NUL")

"""Conversations as rows."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from chat4all_core.domain.conversation import (
    Conversation,
    ConversationType,
    MembershipChange,
    Participation,
    Role,
)
from chat4all_core.domain.timestamp import Timestamp

COLUMNS = (
    "conversation_id, type, title, creator, created_at, version, "
    "participant, role, added_version, removed_version, joined_sequence"
)
"""What `from_rows` wants."""


def from_rows(rows: Iterable[Sequence[Any]]) -> Iterable[Conversation]:
    """The conversations of rows with COLUMNS; those of one conversation follow each other."""
    for _, group in groupby(rows, key=lambda row: row[0]):
        of_one = list(group)
        conversation_id, kind, title, creator, created_at, version = of_one[0][:6]
        stays = [
            Participation(participant, Role(role), added, removed, joined)
            for participant, role, added, removed, joined in (row[6:] for row in of_one)
            if participant is not None
        ]
        yield Conversation(
            conversation_id=conversation_id,
            type=ConversationType(kind),
            title=title,
            creator=creator,
            created_at=Timestamp(created_at),
            version=version,
            participations=_ordered(stays),
        )


def changed(conversation: Conversation, change: MembershipChange) -> Conversation:
    """The conversation after a change."""
    version = conversation.version + 1
    stays = [_changed_stay(stay, change, version) for stay in conversation.participations]
    stays += [Participation(p, Role.MEMBER, version, None, change.joined_sequence) for p in change.added]
    return replace(conversation, version=version, participations=_ordered(stays))


def _changed_stay(stay: Participation, change: MembershipChange, version: int) -> Participation:
    if stay.removed_version is not None:
        return stay
    if stay.participant in change.removed:
        stay = replace(stay, removed_version=version)
    if change.role is not None and change.role[0] == stay.participant:
        stay = replace(stay, role=change.role[1])
    return stay


def _ordered(stays: Iterable[Participation]) -> tuple[Participation, ...]:
    return tuple(sorted(stays, key=lambda stay: (stay.added_version, stay.participant)))

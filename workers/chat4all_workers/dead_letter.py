"""Dead letters as records of topic chat4all.dead.letter.v1.

The value and the key are those of the record that is dead, and so are its headers; those below say the rest.
"""

import json
from collections.abc import Mapping

from chat4all_core.domain.dead_letter import DeadLetter, DeadLetterEvent, DeadLetterId
from chat4all_core.domain.ids import name_based_uuid
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.event_log import DEAD_LETTER, EventLog, Record

_PREFIX = "chat4all-dead-letter-"
UNREADABLE = "UNREADABLE"
"""The code of a record that this release can't read."""


def dead_letter_of(
    record: Record, reason: str, at: Timestamp, *, code: str = UNREADABLE, remedy: str = ""
) -> DeadLetter:
    """Of a record that can't be handled."""
    return DeadLetter(
        dead_letter_id=DeadLetterId(name_based_uuid("dead-letter", record.topic, str(record.source))),
        topic=record.topic,
        key=record.key,
        value=record.value,
        code=code,
        reason=reason,
        rejected_at=at,
        remedy=remedy,
    )


async def append_dead_letter(log: EventLog, letter: DeadLetter, headers: Mapping[str, str]) -> None:
    """Put it into its topic, durably. `headers`: those of its record.

    Raises:
        UnavailableError: the log can't take it now.
    """
    await log.append(DEAD_LETTER, letter.key, letter.value, {**headers, **_to_headers(letter)})


def from_record(record: Record) -> DeadLetter:
    """From a record of the topic. What an earlier release left out has defaults.

    Raises:
        ValueError: its headers are not in this form.
    """
    headers = {name.removeprefix(_PREFIX): text for name, text in record.headers.items() if name.startswith(_PREFIX)}
    fallback_id = name_based_uuid("dead-letter", record.topic, str(record.source))
    return DeadLetter(
        dead_letter_id=DeadLetterId(headers.get("id") or fallback_id),
        topic=headers.get("topic", ""),
        key=record.key,
        value=record.value,
        code=headers.get("code", UNREADABLE),
        reason=headers.get("reason", ""),
        rejected_at=Timestamp(int(headers.get("time", "0"))),
        remedy=headers.get("remedy", ""),
        history=tuple(
            DeadLetterEvent(Timestamp(time), what) for time, what in json.loads(headers.get("history", "[]"))
        ),
    )


def _to_headers(letter: DeadLetter) -> Mapping[str, str]:
    return {
        f"{_PREFIX}id": letter.dead_letter_id,
        f"{_PREFIX}topic": letter.topic,
        f"{_PREFIX}code": letter.code,
        f"{_PREFIX}reason": letter.reason,
        f"{_PREFIX}remedy": letter.remedy,
        f"{_PREFIX}time": str(letter.rejected_at),
        f"{_PREFIX}history": json.dumps([[event.time, event.what] for event in letter.history]),
    }

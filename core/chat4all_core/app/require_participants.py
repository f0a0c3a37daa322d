"""People named in a request: users, and addresses on channels."""

from collections.abc import Collection, Sequence

from chat4all_core.domain.channel import Capabilities, ChannelName, parse_channel_address
from chat4all_core.domain.conversation import MAX_PARTICIPANTS
from chat4all_core.domain.errors import NotFoundError, Reason, invalid_field
from chat4all_core.domain.ids import ParticipantId, UserId
from chat4all_core.ports.user_store import UserStore


async def require_participants(
    users: UserStore, channels: Collection[Capabilities], names: Sequence[str]
) -> list[ParticipantId]:
    """The participants, each once, in the order named.

    Raises:
        InvalidArgumentError: an id is empty, an address is of no configured channel or not in its form, or there are
            more names than a conversation may have people.
        NotFoundError: USER_NOT_FOUND, naming the first that does not exist.
    """
    if len(names) > MAX_PARTICIPANTS:
        raise invalid_field("participants", f"must be at most {MAX_PARTICIPANTS}")
    if not all(names):
        raise invalid_field("participants", "must not hold an empty id")
    unique = list(dict.fromkeys(names))
    ids = []
    for name in unique:
        if ":" in name:
            _check_address(name, channels)
        else:
            ids.append(UserId(ParticipantId(name)))
    existing = await users.existing(ids) if ids else ()
    for user_id in ids:
        if user_id not in existing:
            raise NotFoundError(Reason.USER_NOT_FOUND, "there is no such user", {"user_id": user_id})
    return [ParticipantId(name) for name in unique]


def _check_address(name: str, channels: Collection[Capabilities]) -> None:
    if parse_channel_address(name, channels) is not None:
        return
    examples = {c.channel: c.address_example for c in channels}
    example = examples.get(ChannelName(name.partition(":")[0]))
    if example is not None:
        raise invalid_field("participants", f"must be written like {example}; {name} is not")
    known = f"addresses here are written like {', '.join(sorted(examples.values()))}" if examples else "none is"
    raise invalid_field("participants", f"must be of a configured channel: {known}; {name} is not")

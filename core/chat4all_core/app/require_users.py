"""People named in a request."""

from collections.abc import Sequence

from chat4all_core.domain.conversation import MAX_PARTICIPANTS
from chat4all_core.domain.errors import NotFoundError, Reason, invalid_field
from chat4all_core.domain.ids import ParticipantId, UserId
from chat4all_core.ports.user_store import UserStore


async def require_users(users: UserStore, names: Sequence[str]) -> list[UserId]:
    """The users, each once, in the order named.

    Raises:
        InvalidArgumentError: an id is empty, or there are more names than a conversation may have people.
        NotFoundError: USER_NOT_FOUND, naming the first that does not exist.
    """
    if len(names) > MAX_PARTICIPANTS:
        raise invalid_field("participants", f"must be at most {MAX_PARTICIPANTS}")
    if not all(names):
        raise invalid_field("participants", "must not hold an empty id")
    ids = [UserId(ParticipantId(name)) for name in dict.fromkeys(names)]
    existing = await users.existing(ids)
    for user_id in ids:
        if user_id not in existing:
            raise NotFoundError(Reason.USER_NOT_FOUND, "there is no such user", {"user_id": user_id})
    return ids

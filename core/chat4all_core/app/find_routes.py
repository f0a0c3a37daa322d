"""Addresses at which users are reached besides, when a sender asks for it."""

from collections.abc import Collection, Sequence

from chat4all_core.domain.channel import Capabilities, ChannelName, users_among
from chat4all_core.domain.conversation import Conversation
from chat4all_core.domain.errors import invalid_field
from chat4all_core.domain.ids import ParticipantId
from chat4all_core.domain.message import DeliveryRoute
from chat4all_core.ports.identity_store import IdentityStore

ALL = "all"
"""Names every configured channel."""


class FindRoutes:
    """Looks up the identities of a message's recipients."""

    def __init__(self, identities: IdentityStore, channels: Collection[Capabilities]) -> None:
        self._identities = identities
        self._channels = [c.channel for c in channels]

    async def __call__(
        self, conversation: Conversation, sender: ParticipantId, wanted: Sequence[str]
    ) -> tuple[DeliveryRoute, ...]:
        """The routes of a message by the wanted channels: for each recipient and channel the address that was linked
        last, unless it takes part itself. Recipients without one have no route there.

        Raises:
            InvalidArgumentError: there is no such channel.
            UnavailableError: they can't be looked up now.
        """
        if not wanted:
            return ()
        channels = self._named(wanted)
        participants = {p.participant for p in conversation.participants}
        identities = await self._identities.identities_of(users_among(participants - {sender}))
        routes = {}
        for user_id in sorted(identities):
            for identity in sorted(identities[user_id], key=lambda i: i.linked_at):
                to = identity.address
                if to.channel in channels and to.participant not in participants:
                    routes[user_id, to.channel] = DeliveryRoute(user_id, to)
        return tuple(routes.values())

    def _named(self, wanted: Sequence[str]) -> Collection[ChannelName]:
        if unknown := next((name for name in wanted if name != ALL and name not in self._channels), None):
            known = ", ".join([*self._channels, ALL])
            raise invalid_field("channels", f"must be some of {known}; {unknown} is not")
        return self._channels if ALL in wanted else {ChannelName(name) for name in wanted}

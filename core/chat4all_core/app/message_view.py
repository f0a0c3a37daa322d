"""Messages as a reader sees them: with their state."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from chat4all_core.domain.channel import Capabilities, ChannelAddress, ChannelName, channel_address_of
from chat4all_core.domain.conversation import Conversation
from chat4all_core.domain.delivery import DeliveryEvidence, DeliveryFailure, resolve
from chat4all_core.domain.delivery_state import NO_CURSOR, Cursor, Cursors, DeliveryState, StateChange, highest, lowest
from chat4all_core.domain.ids import ParticipantId
from chat4all_core.domain.message import StoredMessage
from chat4all_core.ports.delivery_state_store import DeliveryStateStore

_WAYS_AT_ONCE = 10_000
"""By channels, of which what is known is held in memory: some 10 MB."""


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message with its state as a whole."""

    stored: StoredMessage
    state: DeliveryState
    recipient_count: int
    delivered_count: int
    """Recipients whose client has it, those who read it included."""
    read_count: int


@dataclass(frozen=True, slots=True)
class Way:
    """How far a message has come for one recipient on one way."""

    participant: ParticipantId
    channel: ChannelName | None
    """None within the platform."""
    state: DeliveryState
    failure: DeliveryFailure | None = None
    """Of FAILED."""
    taken: bool = True
    """Whether anything is known of it; a channel that was not asked yet has not taken it."""


class MessageViews:
    """Works states out. What channels told is read for messages that go to one, and for no others."""

    def __init__(self, states: DeliveryStateStore, channels: Collection[Capabilities]) -> None:
        self._states = states
        self._channels = {capabilities.channel: capabilities for capabilities in channels}

    async def views(
        self, conversation: Conversation, cursors: Cursors, messages: Sequence[StoredMessage]
    ) -> list[MessageView]:
        """Messages of one conversation with their states. It is the participants of a version that cost, so they
        are worked out once for each version.

        Raises:
            UnavailableError.
        """
        at_version: dict[int, _Participants] = {}
        found: dict[int, MessageView] = {}
        away: list[tuple[StoredMessage, _Participants]] = []
        for stored in messages:
            version = stored.message.membership_version
            if version not in at_version:
                at_version[version] = _participants_at(conversation, cursors, version)
            participants = at_version[version]
            if participants.addresses or stored.message.routes:
                away.append((stored, participants))
            else:
                found[stored.sequence] = _view(stored, _platform_states(participants, stored))
        for some in _chunks(away):
            evidence = await self._states.evidence(conversation.conversation_id, [s.sequence for s, _ in some])
            for stored, participants in some:
                ways = _ways(participants, stored, evidence.get(stored.sequence, ()))
                found[stored.sequence] = self.summary(stored, ways)
        return [found[stored.sequence] for stored in messages]

    async def ways(
        self, conversation: Conversation, cursors: Cursors, stored: StoredMessage
    ) -> tuple[list[Way], list[StateChange]]:
        """Every way of a message, ordered by recipient, and what channels told of it, oldest first.

        Raises:
            UnavailableError.
        """
        participants = _participants_at(conversation, cursors, stored.message.membership_version)
        evidence: Sequence[DeliveryEvidence] = ()
        if participants.addresses or stored.message.routes:
            by_sequence = await self._states.evidence(conversation.conversation_id, [stored.sequence])
            evidence = by_sequence.get(stored.sequence, ())
        ways = _ways(participants, stored, evidence)
        return ways, [StateChange(e.recipient, e.state, e.time, e.channel) for e in evidence]

    def summary(self, stored: StoredMessage, ways: Iterable[Way]) -> MessageView:
        """A message with its state, from its ways: each recipient counts by the best of theirs. A state that a channel
        does not have holds nobody up, but no message is said to have come further than for any recipient."""
        of_recipient: dict[ParticipantId, list[Way]] = {}
        for way in ways:
            of_recipient.setdefault(way.participant, []).append(way)
        real = [highest(w.state for w in theirs) for theirs in of_recipient.values()]
        # Who has a way within the platform can read it there.
        standing = [
            self._standing(theirs[0]) if len(theirs) == 1 else state
            for theirs, state in zip(of_recipient.values(), real, strict=True)
        ]
        return _view(stored, real, lowest([lowest(standing), highest(real)]))

    def _standing(self, way: Way) -> DeliveryState:
        capabilities = self._channels.get(way.channel) if way.channel else None
        return capabilities.standing(way.state) if capabilities and way.taken else way.state


@dataclass(frozen=True, slots=True)
class _Participants:
    """Those of a version of a conversation."""

    users: Sequence[tuple[ParticipantId, Cursor]]
    addresses: Sequence[ChannelAddress]


def _participants_at(conversation: Conversation, cursors: Cursors, version: int) -> _Participants:
    users, addresses = [], []
    for participation in conversation.participants_at(version):
        address = channel_address_of(participation.participant)
        if address is None:
            users.append((participation.participant, cursors.get(participation.participant, NO_CURSOR)))
        else:
            addresses.append(address)
    return _Participants(users, addresses)


def _platform_states(participants: _Participants, stored: StoredMessage) -> list[DeliveryState]:
    return [c.state_of(stored.sequence) for user, c in participants.users if user != stored.message.sender]


def _ways(participants: _Participants, stored: StoredMessage, evidence: Sequence[DeliveryEvidence]) -> list[Way]:
    known: dict[tuple[ParticipantId, ChannelName], list[DeliveryEvidence]] = {}
    for each in evidence:
        known.setdefault((each.recipient, each.channel), []).append(each)
    named = [(address.participant, address.channel) for address in participants.addresses]
    named += [(route.recipient, route.to.channel) for route in stored.message.routes]
    ways = [Way(user, None, cursor.state_of(stored.sequence)) for user, cursor in participants.users]
    ways += [_away(*name, known.get(name, ())) for name in named]
    others = (way for way in ways if way.participant != stored.message.sender)
    return sorted(others, key=lambda way: (way.participant, way.channel or ""))


def _away(participant: ParticipantId, channel: ChannelName, evidence: Sequence[DeliveryEvidence]) -> Way:
    state = resolve((e.attempt, e.state) for e in evidence)
    failed = [e for e in evidence if e.state is DeliveryState.FAILED] if state is DeliveryState.FAILED else []
    failure = max(failed, key=lambda e: e.attempt).failure if failed else None
    return Way(participant, channel, state, failure, bool(evidence))


def _view(stored: StoredMessage, states: Sequence[DeliveryState], state: DeliveryState | None = None) -> MessageView:
    read = states.count(DeliveryState.READ)
    return MessageView(
        stored=stored,
        state=lowest(states) if state is None else state,
        recipient_count=len(states),
        delivered_count=read + states.count(DeliveryState.DELIVERED),
        read_count=read,
    )


def _chunks(
    away: Sequence[tuple[StoredMessage, _Participants]],
) -> Iterator[Sequence[tuple[StoredMessage, _Participants]]]:
    chunk: list[tuple[StoredMessage, _Participants]] = []
    count = 0
    for stored, participants in away:
        ways = len(participants.addresses) + len(stored.message.routes)
        if chunk and count + ways > _WAYS_AT_ONCE:
            yield chunk
            chunk, count = [], 0
        chunk.append((stored, participants))
        count += ways
    if chunk:
        yield chunk

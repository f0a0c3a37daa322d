"""What a person writes on a channel becomes a message of the platform."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from chat4all_channels.event import Deleted, Edited, MediaError, MediaReference, Reacted, Received
from chat4all_core.domain.channel import AccountId, ChannelAddress, ChannelName, ProviderId, is_user
from chat4all_core.domain.delivery import delivery_id_for
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.errors import RefusedError, RetryableError
from chat4all_core.domain.file import Attachment
from chat4all_core.domain.ids import MessageId, UserId, name_based_uuid
from chat4all_core.domain.message import MAX_TEXT_BYTES, AcceptedMessage, DeliveryRoute
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.contact_store import ContactStore
from chat4all_core.ports.delivery_ledger import DeliveryLedger, LedgerKey, Settlement
from chat4all_core.ports.event_codec import EventCodec
from chat4all_core.ports.event_log import MESSAGE_ACCEPTED, EventLog
from chat4all_core.ports.identity_store import IdentityStore
from chat4all_core.ports.message_store import MessageStore
from chat4all_core.ports.provider_messages import DeliveryReference, ProviderMessage, ProviderMessages
from chat4all_core.telemetry.tracing import trace_headers
from chat4all_workers.inbound.place import FindPlace, Place

_log = structlog.get_logger(__name__)

KIND = "chat4all.kind"
"""Key of a message's metadata: `reaction`, `edit` or `deletion`, of the message that it answers."""

KeepMedia = Callable[[Place, AccountId, MediaReference], Awaitable[Attachment]]
"""Fetches media into the object store as a file of the conversation, raising MediaError or RefusedError."""

Written = Received | Reacted | Edited | Deleted


@dataclass(frozen=True, slots=True)
class _Note:
    """One message that is to be accepted."""

    name: tuple[str, ...]
    """Tells it from every other one of the account, and is the same when the channel tells it again."""
    text: str
    media: MediaReference | None = None
    answers: ProviderId | None = None
    kind: str = ""


class ReceiveMessage:
    """Accepts what people on one channel write. The same again is accepted again under the same message_id, which the
    router drops."""

    def __init__(
        self,
        channel: ChannelName,
        *,
        find_place: FindPlace,
        contacts: ContactStore,
        identities: IdentityStore,
        messages: MessageStore,
        provider_messages: ProviderMessages,
        ledger: DeliveryLedger,
        keep_media: KeepMedia,
        forwards: Callable[[AccountId], bool],
        log: EventLog,
        codec: EventCodec,
        clock: Clock,
    ) -> None:
        """`forwards`: whether what comes to an account goes to the linked addresses of those who get it."""
        self._channel = channel
        self._find_place = find_place
        self._contacts = contacts
        self._identities = identities
        self._messages = messages
        self._provider_messages = provider_messages
        self._ledger = ledger
        self._keep_media = keep_media
        self._forwards = forwards
        self._log = log
        self._codec = codec
        self._clock = clock

    async def __call__(self, event: Written) -> None:
        """Accept it durably.

        Raises:
            NobodyToReadError: a stranger wrote, and the account has no inbox.
            UnavailableError: an engine, or the media, can't be had now.
        """
        person = ChannelAddress(self._channel, event.sender)
        if isinstance(event, Received):
            await self._contacts.received(person, event.account, event.sender_name, event.time)
        notes = _notes(event)
        ids = [MessageId(name_based_uuid("received", self._channel, event.account, *note.name)) for note in notes]
        # What was told twice is seen here where it can be: it would only cost, media above all.
        known = await self._messages.positions(ids)
        for message_id, note in zip(ids, notes, strict=True):
            if message_id not in known:
                await self._accept(event, person, message_id, note)

    async def _accept(self, event: Written, person: ChannelAddress, message_id: MessageId, note: _Note) -> None:
        answered = await self._find(event.account, note.answers)
        name = event.sender_name if isinstance(event, Received) else ""
        place = await self._find_place(event.account, person, name, answered.conversation_id if answered else None)
        file, text = await self._media(place, event.account, note)
        same_conversation = answered and answered.conversation_id == place.conversation.conversation_id
        message = AcceptedMessage(
            message_id=message_id,
            conversation_id=place.conversation.conversation_id,
            sender=place.sender,
            text=_fitting(text),
            accepted_at=self._clock(),
            membership_version=place.conversation.version,
            reply_to=answered.message_id if answered and same_conversation else None,
            metadata={KIND: note.kind} if note.kind else None,
            file=file,
            routes=await self._routes(event.account, place, person),
        )
        if isinstance(event, Received):
            await self._remember(event, person, message, is_first=note.name == (event.provider_id,))
        value = self._codec.encode_accepted(message)
        await self._log.append(MESSAGE_ACCEPTED, message.conversation_id, value, trace_headers())

    async def _remember(
        self, event: Received, person: ChannelAddress, message: AcceptedMessage, *, is_first: bool
    ) -> None:
        """Both ways between the message and what the channel calls it: for answers to it by the person, and by us."""
        if is_first:
            reference = DeliveryReference(message.conversation_id, message.message_id, 0, message.sender)
            await self._provider_messages.put(
                ProviderMessage(self._channel, event.account, event.provider_id), reference
            )
        # As if it had been told them: they have it, under this name.
        key = LedgerKey(delivery_id_for(message.message_id, message.sender, person), 1, 0)
        await self._ledger.record(key, Settlement(DeliveryState.SENT, event.time, event.provider_id))

    async def _find(self, account: AccountId, provider_id: ProviderId | None) -> DeliveryReference | None:
        if not provider_id:
            return None
        return await self._provider_messages.find(ProviderMessage(self._channel, account, provider_id))

    async def _media(self, place: Place, account: AccountId, note: _Note) -> tuple[Attachment | None, str]:
        """The file, and the text with what has to be said where there is none."""
        if note.media is None:
            return None, note.text
        try:
            return await self._keep_media(place, account, note.media), note.text
        except RetryableError:
            raise
        except (MediaError, RefusedError) as error:
            _log.warning("media is not kept", channel=self._channel, cause=str(error))
            return None, _with_remark(note, str(error))

    async def _routes(self, account: AccountId, place: Place, person: ChannelAddress) -> tuple[DeliveryRoute, ...]:
        """Who writes on a channel can't say where an answer shall reach people: it goes wherever they are."""
        if not self._forwards(account):
            return ()
        users = [
            UserId(p.participant)
            for p in place.conversation.participants
            if p.participant != place.sender and is_user(p.participant)
        ]
        linked = await self._identities.identities_of(users) if users else {}
        return tuple(
            DeliveryRoute(user, identity.address)
            for user in users
            for identity in linked.get(user, ())
            if identity.address != person
        )


def _notes(event: Written) -> Sequence[_Note]:
    match event:
        case Received():
            first, *more = event.media or (None,)
            notes = [_Note((event.provider_id,), event.text, first, event.reply_to)]
            return notes + [_Note((event.provider_id, str(n)), "", media) for n, media in enumerate(more, 1)]
        case Reacted():
            text = event.emoji or "(took the reaction back)"
            reaction = ("reaction", event.provider_id, event.sender, event.emoji, str(event.time))
            return [_Note(reaction, text, None, event.provider_id, "reaction")]
        case Edited():
            edit = ("edit", event.provider_id, str(event.time), event.text)
            return [_Note(edit, event.text or "(emptied the message)", None, event.provider_id, "edit")]
        case Deleted():
            return [
                _Note(("deletion", event.provider_id), "(took the message back)", None, event.provider_id, "deletion")
            ]


def _with_remark(note: _Note, why: str) -> str:
    filename = note.media.filename if note.media else ""
    return f"{note.text}\n[{filename} could not be kept: {why}]".lstrip()


def _fitting(text: str) -> str:
    """What a message may hold: no channel's text is longer, but an edit or a remark may make it so."""
    return text.encode()[:MAX_TEXT_BYTES].decode(errors="ignore")

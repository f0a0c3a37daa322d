"""Use case: bring a message to an address of a channel."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from chat4all_channels.channel import Envelope, SendsTemplates
from chat4all_channels.opaque import to_opaque
from chat4all_core.domain.channel import ProviderId
from chat4all_core.domain.dead_letter import DeadLetter, DeadLetterId
from chat4all_core.domain.delivery import Delivery, DeliveryEvidence, DeliveryFailure, delivery_id_for
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.ids import name_based_uuid
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.contact_store import Contact, ContactStore
from chat4all_core.ports.delivery_ledger import DeliveryLedger, LedgerKey, Settlement
from chat4all_core.ports.event_codec import EventCodec
from chat4all_core.ports.event_log import STATUS_UPDATED, EventLog
from chat4all_core.ports.provider_messages import ProviderMessage, ProviderMessages
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import TRACEPARENT, trace_headers, use_traceparent
from chat4all_workers.dead_letter import append_dead_letter
from chat4all_workers.delivery.delivery_files import DeliveryFiles
from chat4all_workers.delivery.job import Finished, Job, Postponed, Result
from chat4all_workers.delivery.outlet import Outlet
from chat4all_workers.delivery.parts import parts_of, prepare
from chat4all_workers.delivery.patience import persist
from chat4all_workers.delivery.record_accepted import reference_of
from chat4all_workers.delivery.tell_part import PartToTell, TellPart
from chat4all_workers.delivery.undisturbed import Undisturbed

_MICROSECOND = timedelta(microseconds=1)
_WEAKEST_FIRST = (DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.SENT)


class Deliver:
    """Of one channel. Doing it again for the same delivery tells the channel nothing and gives the same evidence."""

    def __init__(
        self,
        *,
        outlets: Sequence[Outlet],
        tell_part: TellPart,
        ledger: DeliveryLedger,
        provider_messages: ProviderMessages,
        contacts: ContactStore,
        files: DeliveryFiles,
        log: EventLog,
        codec: EventCodec,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        """`outlets`: at least one; the first writes to people who have not written to any."""
        self._outlets = outlets
        self._tell_part = tell_part
        self._ledger = ledger
        self._provider_messages = provider_messages
        self._contacts = contacts
        self._files = files
        self._log = log
        self._codec = codec
        self._clock = clock
        self._metrics = metrics

    async def __call__(
        self, job: Job, delivery: Delivery, undisturbed: Undisturbed, may_call: Callable[[], bool]
    ) -> Result:
        """See TellPart for the arguments; the evidence is durable when it is Finished."""
        with use_traceparent(job.headers.get(TRACEPARENT)):
            told = await self._tell(job, delivery, undisturbed, may_call)
            if isinstance(told, Postponed):
                return told
            return await undisturbed.run(self._conclude(job, delivery, told))

    async def _tell(
        self, job: Job, delivery: Delivery, undisturbed: Undisturbed, may_call: Callable[[], bool]
    ) -> Settlement | Postponed:
        """How all of it ended: as badly as its worst part."""
        contact = await persist(self._contacts.get, delivery.to)
        outlet = self._outlet(contact)
        parts = parts_of(delivery, outlet.account)
        if isinstance(parts, DeliveryFailure):
            return Settlement(DeliveryState.FAILED, self._clock(), failure=parts)
        await self._place_answers(delivery, contact)
        reply_to = await self._replied_to(delivery, outlet)
        settlements: list[Settlement] = []
        for number, part in enumerate(parts):
            if (before := await self._told_before(delivery, number)) is not None:
                settlements.append(before)
                continue
            is_last = number == len(parts) - 1
            opaque = to_opaque(reference_of(delivery, is_last=is_last))
            to_tell = PartToTell(
                delivery=delivery,
                key=LedgerKey(delivery.delivery_id, delivery.attempt, number),
                envelope=Envelope(delivery.to.address, opaque, reply_to if number == 0 else None),
                telling=await persist(prepare, part, self._files),
                outlet=outlet,
                is_last=is_last,
                window_closed=self._window_is_closed(outlet, contact),
            )
            settlement = await self._tell_part(to_tell, job, undisturbed, may_call)
            if isinstance(settlement, Postponed):
                return settlement
            settlements.append(settlement)
            if settlement.state is DeliveryState.FAILED:
                break  # the rest of a text whose beginning is missing helps nobody
        # The last of the worst: of a text in parts, the last part's id stands for it.
        return min(reversed(settlements), key=lambda settlement: _WEAKEST_FIRST.index(settlement.state))

    async def _told_before(self, delivery: Delivery, part: int) -> Settlement | None:
        """How it ended in an earlier attempt that was refused as a whole, unless it was this part that was: the
        channel has it, or may have it, and is not told again."""
        for attempt in range(delivery.attempt - 1, 0, -1):
            found = await persist(self._ledger.find, LedgerKey(delivery.delivery_id, attempt, part))
            if isinstance(found, Settlement) and found.state is not DeliveryState.FAILED:
                return found
        return None

    def _outlet(self, contact: Contact | None) -> Outlet:
        for outlet in self._outlets:
            if contact is not None and outlet.account.account_id == contact.account:
                return outlet
        return self._outlets[0]

    def _window_is_closed(self, outlet: Outlet, contact: Contact | None) -> bool:
        """Of a person who never wrote to us, the channel knows better, unless the account is told otherwise."""
        account = outlet.account
        window = account.capabilities.window
        if window is None:
            return False
        if contact is None or contact.last_received_at is None:
            return isinstance(account, SendsTemplates) and account.template_first
        return self._clock() > contact.last_received_at + window // _MICROSECOND

    async def _place_answers(self, delivery: Delivery, contact: Contact | None) -> None:
        """What the person writes belongs where they were last written to."""
        stored = contact.conversation_id if contact else None
        if delivery.sequence and stored != delivery.conversation_id:
            await persist(self._contacts.set_conversation, delivery.to, delivery.conversation_id)

    async def _replied_to(self, delivery: Delivery, outlet: Outlet) -> ProviderId | None:
        """The message that it answers, if it went by this account to the same person, or came from them to it."""
        message_id = delivery.reply_to
        if message_id is None:
            return None
        first_part = LedgerKey(delivery_id_for(message_id, delivery.recipient, delivery.to), 1, 0)
        found = await persist(self._ledger.find, first_part)
        if not isinstance(found, Settlement) or found.provider_id is None:
            return None
        message = ProviderMessage(delivery.to.channel, outlet.account.account_id, found.provider_id)
        known = await persist(self._provider_messages.find, message)
        return None if known is None else found.provider_id

    async def _conclude(self, job: Job, delivery: Delivery, told: Settlement) -> Finished:
        self._metrics.deliveries.labels(channel=delivery.to.channel, state=told.state.name.lower()).inc()
        if delivery.sequence:  # otherwise it is no message, and nobody follows its state
            value = self._codec.encode_status(_evidence(delivery, told))
            await persist(self._log.append, STATUS_UPDATED, delivery.conversation_id, value, trace_headers())
        if told.failure is None:
            return Finished()
        letter = _dead_letter(job, delivery, told.failure, told.time)
        await persist(append_dead_letter, self._log, letter, job.headers)
        return Finished()


def _evidence(delivery: Delivery, told: Settlement) -> DeliveryEvidence:
    return DeliveryEvidence(
        conversation_id=delivery.conversation_id,
        message_id=delivery.message_id,
        sequence=delivery.sequence,
        recipient=delivery.recipient,
        channel=delivery.to.channel,
        state=told.state,
        time=told.time,
        attempt=delivery.attempt,
        failure=told.failure,
        provider_id=told.provider_id,
    )


def _dead_letter(job: Job, delivery: Delivery, failure: DeliveryFailure, at: Timestamp) -> DeadLetter:
    return DeadLetter(
        dead_letter_id=DeadLetterId(name_based_uuid("dead-letter", delivery.delivery_id, str(delivery.attempt))),
        topic=job.record.topic,
        key=job.record.key,
        value=job.record.value,
        code=failure.code,
        reason=failure.reason,
        rejected_at=at,
        remedy=failure.remedy,
        history=tuple(job.history),
    )

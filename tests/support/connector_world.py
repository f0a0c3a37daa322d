"""All that is around a connector, in memory and virtual time, and connectors in it that may be killed."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

from delivery_memory import MemoryContacts, MemoryDeferred, MemoryLedger, MemoryProviderMessages
from memory_log import MemoryLog
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from scripted_channel import CHANNEL, ScriptedAccount

from chat4all_core.adapters.memory.rate_limiter import MemoryRateLimiter
from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.domain.channel import ChannelAddress
from chat4all_core.domain.delivery import Delivery, DeliveryEvidence, delivery_id_for
from chat4all_core.domain.file import Attachment
from chat4all_core.domain.ids import ConversationId, MessageId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.delivery_ledger import Claim
from chat4all_core.ports.event_log import STATUS_UPDATED, delivery_requested
from chat4all_core.telemetry.metrics import Metrics
from chat4all_workers.delivery.connector import Connector
from chat4all_workers.delivery.deliver import Deliver
from chat4all_workers.delivery.handle_job import HandleJob
from chat4all_workers.delivery.job_reader import JobReader
from chat4all_workers.delivery.load import Bounds
from chat4all_workers.delivery.outlet import Outlet
from chat4all_workers.delivery.outlet_watch import OutletWatch
from chat4all_workers.delivery.record_accepted import RecordAccepted
from chat4all_workers.delivery.tell_part import TellPart

TOPIC = delivery_requested(CHANNEL)
LEASE_SECONDS = 45.0


class Killed(BaseException):
    """The process is dead: no line of it runs any more."""


class Fate:
    """When a process is killed: at the operation on the outside world with this number, before or after it took
    effect."""

    def __init__(self, at: int | None = None, *, after: bool = False) -> None:
        self._at = at
        self._after = after
        self.operations = 0
        self.is_dead = False

    def reach(self, what: Any) -> Any:
        """The same thing for a process that has this fate."""
        return _Reached(what, self)

    async def meet(self, operation: Callable[[], Any]) -> Any:
        """Do an operation, if one is alive to do it, and to learn of it."""
        number, self.operations = self.operations, self.operations + 1
        if number == self._at and not self._after:
            self.is_dead = True
        if self.is_dead:
            raise Killed
        result = await operation()
        if number == self._at:
            self.is_dead = True
        if self.is_dead:
            raise Killed
        return result


class _Reached:
    def __init__(self, what: Any, fate: Fate) -> None:
        self._what = what
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._what, name)
        if name == "consumer":
            return lambda *arguments: _Reached(attribute(*arguments), self._fate)
        if not asyncio.iscoroutinefunction(attribute):
            return attribute
        return lambda *arguments, **named: self._fate.meet(lambda: attribute(*arguments, **named))


class Files:
    """Implements what connectors need of files."""

    async def link(self, file: Attachment) -> str:
        return f"https://files/{file.file_id}"

    async def content(self, file: Attachment) -> AsyncIterator[bytes]:
        yield b"x" * file.size


class ConnectorWorld:
    """To be made within the loop of a test."""

    def __init__(self, *accounts: ScriptedAccount, partitions: int = 2) -> None:
        self.accounts = accounts or (ScriptedAccount(now),)
        self.account = self.accounts[0]
        self.log = MemoryLog(partitions)
        self.ledger = MemoryLedger()
        self.provider_messages = MemoryProviderMessages()
        self.deferred = MemoryDeferred()
        self.contacts = MemoryContacts()
        self.limiter = MemoryRateLimiter(now)
        self.codec = ProtobufEventCodec()
        self.registry = CollectorRegistry()
        self._metrics = Metrics(self.registry)
        self._processes = itertools.count(1)
        self._sequences = itertools.count(1)

    def connector(
        self, fate: Fate | None = None, *, bounds: Bounds | None = None, max_rejections: int = 100
    ) -> Connector:
        """A new process."""
        fate = fate or Fate()
        rng = random.Random(7)
        log, ledger = fate.reach(self.log), fate.reach(self.ledger)
        outlets = [Outlet(account, self.limiter, rng) for account in self.accounts]
        provider_messages = fate.reach(self.provider_messages)
        watch = OutletWatch(CHANNEL, outlets, self._metrics)
        tell_part = TellPart(
            ledger=ledger,
            record_accepted=RecordAccepted(provider_messages, log),
            clock=clock,
            owner=f"process {next(self._processes)}",
            lease_seconds=LEASE_SECONDS,
            may_wait=watch.is_blocked,
            rng=rng,
            metrics=self._metrics,
        )
        deliver = Deliver(
            outlets=outlets,
            tell_part=tell_part,
            ledger=ledger,
            provider_messages=provider_messages,
            contacts=fate.reach(self.contacts),
            files=Files(),  # type: ignore[arg-type]  # has what is used of a DeliveryFiles, which is no protocol
            log=log,
            codec=self.codec,
            clock=clock,
            metrics=self._metrics,
        )
        return Connector(
            CHANNEL,
            watch=watch,
            handle=HandleJob(deliver, log, clock),
            reader=JobReader(self.codec),
            deferred=fate.reach(self.deferred),
            log=log,
            clock=clock,
            rng=rng,
            metrics=self._metrics,
            max_rejections=max_rejections,
            bounds=bounds or Bounds(),
        )

    async def request(self, to: str, text: str = "", **changes: Any) -> Delivery:
        """Ask for a delivery, as the router does."""
        sequence = next(self._sequences)
        address = ChannelAddress(CHANNEL, to)
        message_id = MessageId(f"message {sequence}")
        values: dict[str, Any] = {
            "delivery_id": delivery_id_for(message_id, address.participant, address),
            "conversation_id": ConversationId("conversation"),
            "message_id": message_id,
            "sequence": sequence,
            "sender": "ann",
            "recipient": address.participant,
            "to": address,
            "text": text or str(sequence),
            "accepted_at": clock(),
        }
        delivery = Delivery(**(values | changes))
        await self.log.append(TOPIC, to, self.codec.encode_delivery(delivery))
        return delivery

    def evidence(self) -> list[DeliveryEvidence]:
        """All that was said of deliveries, each once however often it was said."""
        said = [self.codec.decode_status(record.value) for record in self.log.all(STATUS_UPDATED)]
        return list(dict.fromkeys(each for each in said if isinstance(each, DeliveryEvidence)))

    def metrics(self) -> str:
        """As Prometheus reads them."""
        return generate_latest(self.registry).decode()

    def open_claims(self) -> int:
        """Calls of which nobody knows how they ended."""
        return sum(isinstance(entry, Claim) for entry in self.ledger.entries.values())

    def is_all_committed(self) -> bool:
        """Whether nothing would come again."""
        group = f"chat4all.connector.{CHANNEL}"
        return all(
            self.log.committed.get((TOPIC, group, partition), 0) == len(self.log.records[TOPIC, partition])
            for partition in range(self.log.partitions)
        )

    async def run_until(self, condition: Callable[[], bool], connector: Connector, *, hours: float = 48) -> None:
        """Have a connector work until a condition holds."""
        running = asyncio.create_task(connector.run())
        async with asyncio.timeout(hours * 3_600):
            while not condition() and not running.done():
                await asyncio.sleep(1)
        connector.stop()
        await running

    async def run_to_the_end(self, connector: Connector | None = None, *, hours: float = 48) -> None:
        """Have a connector work until all is committed and nothing is put aside."""

        def done() -> bool:
            return self.is_all_committed() and not self.deferred.queues

        await self.run_until(done, connector or self.connector(), hours=hours)

    async def run_until_killed(self, fate: Fate) -> None:
        """A process that has this fate; nothing of it is left then. It may come to its end before."""
        # Nobody hears what the tasks of a dead process have to say.
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        others = asyncio.all_tasks()
        try:
            await self.run_to_the_end(self.connector(fate))
        except Killed:
            pass
        finally:
            fate.is_dead = True
            rest = asyncio.all_tasks() - others
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)


def now() -> float:
    """Of the running loop."""
    return asyncio.get_running_loop().time()


def clock() -> Timestamp:
    """The same as a point in time."""
    return Timestamp(int(now() * 1_000_000))

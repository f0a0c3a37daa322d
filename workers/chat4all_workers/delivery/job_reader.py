"""From records to jobs."""

from chat4all_core.ports.deferred_deliveries import DeferredDelivery
from chat4all_core.ports.event_codec import EventCodec, UndecodableError
from chat4all_core.ports.event_log import Record
from chat4all_workers.delivery.job import Job


class JobReader:
    """Never fails: what can't be read is a job too, which is to be rejected."""

    def __init__(self, codec: EventCodec) -> None:
        self._codec = codec

    def read(self, record: Record) -> Job:
        """The job of a record."""
        try:
            return Job(self._codec.decode_delivery(record.value), record)
        except UndecodableError as error:
            return Job(None, record, str(error))

    def read_deferred(self, topic: str, deferred: DeferredDelivery) -> Job:
        """The job of a delivery that was put aside; it could be read when it was."""
        job = self.read(Record(topic, deferred.source, "", deferred.value))
        if job.delivery is None:
            return job
        return Job(job.delivery, Record(topic, deferred.source, job.delivery.to.address, deferred.value))

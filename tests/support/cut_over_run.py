"""Messages are sent while an operator's commands run."""

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from crash_run import CrashRun

from chat4all_sdk import AsyncClient
from chat4all_sdk.models import SentMessage

Operation = Callable[[], Awaitable[None]]


class CutOverRun(CrashRun):
    """Eight senders who go on until the last operation is over."""

    def __init__(self, target: str, messages: int, operations: Sequence[Operation]) -> None:
        """`messages`: at least so many; the operations begin, one after the other, while these are sent."""
        super().__init__(target, messages, self._operate)
        self._operations = list(operations)
        self._numbers = self._count(messages)
        self._begun: dict[str, float] = {}
        self.longest = [0.0] * len(operations)
        """During each operation, the seconds from the first try of a send to its acknowledgement, at most."""

    def _count(self, least: int) -> Iterator[int]:
        self._messages = 1 << 60  # it is known only with the last one
        number = 0
        while self._operations or number < least - 1:
            yield number
            number += 1
        self._messages = number + 1
        yield number

    async def _operate(self) -> None:
        await self._operations[0]()
        del self._operations[0]

    def _client(self, name: str) -> AsyncClient:
        return _TimedClient(self._target, self)

    def note_begun(self, request_id: str) -> None:
        """A try to send begins."""
        self._begun.setdefault(request_id, time.monotonic())

    def note_accepted(self, request_id: str) -> None:
        """It was acknowledged."""
        waited = time.monotonic() - self._begun.pop(request_id)
        if self.killed:
            self.longest[self.killed - 1] = max(self.longest[self.killed - 1], waited)


class _TimedClient(AsyncClient):
    def __init__(self, target: str, run: CutOverRun) -> None:
        super().__init__(target)
        self._run = run

    async def send(self, *arguments: Any, request_id: str | None = None, **others: Any) -> SentMessage:
        assert request_id is not None
        self._run.note_begun(request_id)
        message = await super().send(*arguments, request_id=request_id, **others)
        self._run.note_accepted(request_id)
        return message

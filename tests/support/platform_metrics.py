"""What the processes of a platform say of themselves."""

from collections.abc import Iterator

import aiohttp
import psutil
from prometheus_client.parser import text_string_to_metric_families

_PORTS = ("CHAT4ALL_SERVER_WEB_PORT", "CHAT4ALL_WORKER_WEB_PORT")


class PlatformMetrics:
    """Of a process and its children, whose web ports are those that their environments name."""

    def __init__(self, pid: int, session: aiohttp.ClientSession) -> None:
        self._pid = pid
        self._session = session

    async def value(self, name: str, **labels: str) -> float:
        """The sum over all processes that answer."""
        total = 0.0
        for port in sorted(set(self._ports())):
            try:
                async with self._session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                    text = await answer.text()
            except aiohttp.ClientError:
                continue  # it is being restarted, or handed the setting down without using it
            for family in text_string_to_metric_families(text):
                total += sum(
                    sample.value
                    for sample in family.samples
                    if sample.name == name and labels.items() <= sample.labels.items()
                )
        return total

    def _ports(self) -> Iterator[int]:
        main = psutil.Process(self._pid)
        for process in (main, *main.children(recursive=True)):
            try:
                environ = process.environ()
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            yield from (int(environ[name]) for name in _PORTS if name in environ)

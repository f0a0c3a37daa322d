"""What was acknowledged survives the death of the process."""

import asyncio
import sys
from pathlib import Path

from log_reader import reading

from chat4all_core.adapters.sqlite.engine import open_engine
from chat4all_core.ports.clock import system_clock

_APPEND = """
import asyncio, sys
from pathlib import Path
from chat4all_core.adapters.sqlite.engine import open_engine
from chat4all_core.ports.clock import system_clock

async def main():
    async with open_engine(Path(sys.argv[1]), system_clock) as engine:
        async def append(writer):
            for n in range(1_000_000):
                source = await engine.log.append("topic", f"key {writer}", f"{writer} {n}".encode())
                sys.stdout.write(f"{source.partition} {source.offset} {writer} {n}\\n")
        await asyncio.gather(*(append(writer) for writer in range(16)))

sys.stdout.reconfigure(line_buffering=True)
asyncio.run(main())
"""


async def test_every_acknowledged_record_survives_a_kill(tmp_path: Path) -> None:
    """A process that is killed in the middle of appending has lost nothing that it had acknowledged, and its log
    has no gap."""
    acknowledged: dict[tuple[int, int], bytes] = {}
    for _ in range(3):
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _APPEND, str(tmp_path)), stdout=asyncio.subprocess.PIPE
        )
        assert child.stdout is not None
        for _ in range(500):
            partition, offset, value = (await child.stdout.readline()).split(maxsplit=2)
            acknowledged[int(partition), int(offset)] = value.strip()
        child.kill()
        rest, _ = await child.communicate()
        for line in rest.splitlines(keepends=True):
            if line.endswith(b"\n"):
                partition, offset, value = line.split(maxsplit=2)
                acknowledged[int(partition), int(offset)] = value.strip()
    async with open_engine(tmp_path, system_clock) as engine:
        end = await engine.log.append("topic", "end", b"end")
        async with reading(engine.log, "topic", "group") as reader:
            while not any(record.source == end for record in reader.records):
                await reader.poll()
            while await reader.poll():
                pass
    stored = {(record.source.partition, record.source.offset): record.value for record in reader.records}
    assert acknowledged.items() <= stored.items()
    for number in {place[0] for place in stored}:
        offsets = sorted(place[1] for place in stored if place[0] == number)
        assert offsets == list(range(len(offsets)))

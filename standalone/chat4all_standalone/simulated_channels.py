"""Simulated channels as a child of this process, for those who have no accounts yet."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from chat4all_standalone import die_with_parent

_ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 30.0
_INBOX = "ann"
"""Whom the README has the reader register."""


class SimulatorsStartError(Exception):
    """They do not serve. The text is for the operator."""


@dataclass(frozen=True, slots=True)
class SimulatedChannels:
    """Simulators that serve."""

    accounts_file: Path
    """The accounts on them."""
    page: str
    """URL of the page on which one plays the customer."""


@asynccontextmanager
async def simulated_channels(data_dir: Path, public_url: str) -> AsyncIterator[SimulatedChannels]:
    """Run them within the context. They die with this process, even when that is killed. Once the platform answers at
    `public_url`, they call it.

    Raises:
        SimulatorsStartError: they do not serve within 30 s.
    """
    accounts_file, log_file = data_dir / "simulated_accounts.toml", data_dir / "simulators.log"
    with log_file.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", str(Path(die_with_parent.__file__)), str(os.getpid())),
            *(sys.executable, "-m", "tools.simulators", "--webhook-base", public_url),
            *("--accounts-file", str(accounts_file.resolve()), "--inbox", _INBOX),
            cwd=_ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            # Ctrl-C in a terminal is for the parent, which stops them after the server.
            start_new_session=True,
        )
    try:
        yield SimulatedChannels(accounts_file, await _page(process, log_file))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()  # they keep nothing
        await process.wait()


async def _page(process: asyncio.subprocess.Process, log_file: Path) -> str:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_START_SECONDS):
            line = await process.stdout.readline()
    except TimeoutError:
        line = b""
    name, _, url = line.decode().partition(": ")
    if name != "simulators":
        raise SimulatorsStartError(f"the simulated channels do not start (CHAT4ALL_CHANNELS_SIMULATED): see {log_file}")
    return url.strip()

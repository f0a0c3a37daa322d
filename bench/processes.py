"""The processes under measurement, and the processor time that they use."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from platform_process import free_port


@dataclass(frozen=True, slots=True)
class Target:
    """A platform that serves."""

    envoy_port: int
    grpc_port: int
    process: psutil.Process

    def cpu_seconds(self) -> Mapping[str, float]:
        """What each process has used since it started."""
        processes = {"server and workers": self.process, "load generator": psutil.Process()}
        processes["Envoy"] = self.process.children(recursive=True)[0]
        return {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}


@asynccontextmanager
async def standalone() -> AsyncIterator[Target]:
    """The platform as `make run` starts it, with its data on the disk of this folder."""
    with TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as data_dir:
        grpc_port, envoy_port = free_port(), free_port()
        env = os.environ | {
            "CHAT4ALL_DATA_DIR": data_dir,
            "CHAT4ALL_ENVOY_PORT": str(envoy_port),
            "CHAT4ALL_SERVER_GRPC_PORT": str(grpc_port),
            "CHAT4ALL_TELEMETRY_LOG_LEVEL": "WARNING",
            # One user sends it all.
            "CHAT4ALL_LIMIT_USER_PER_SECOND": "0",
            "CHAT4ALL_LIMIT_ADDRESS_PER_SECOND": "0",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chat4all_standalone", env=env, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            async for line in process.stdout:
                if line.startswith(b"ready "):
                    break
            yield Target(envoy_port, grpc_port, psutil.Process(process.pid))
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    """The bare echo server; gives its port."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.echo", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        yield int(await process.stdout.readline())
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()

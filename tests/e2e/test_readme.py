"""The README's lines work as printed, in the order in which a newcomer types them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from platform_process import PlatformProcess

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[PlatformProcess]:
    """A platform without anybody: the README registers ann and ben."""
    process = PlatformProcess(tmp_path / "data", {"CHAT4ALL_CHANNELS_SIMULATED": "on"})  # as `make run` has it
    process.start()
    yield process
    process.close()


def blocks(language: str, platform: PlatformProcess) -> list[str]:
    """The README's code of a language, pointed at this platform; `make` is not run again."""
    code = re.findall(rf"^```{language}\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
    return [
        block.replace("localhost:8080", platform.target)
        for block in code
        if not re.search(r"^make ", block, re.MULTILINE)
    ]


def test_every_line_of_the_readme(fresh: PlatformProcess, grpcurl: str, tmp_path: Path) -> None:
    """Shell and Python examples succeed and show what the text says they show."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{Path(grpcurl).parent}:{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "CHAT4ALL_SERVER": fresh.target,
    }
    # The live stream goes on until Ctrl-C, so it is given a second.
    script = "\n".join(blocks("sh", fresh)).replace("curl -sSN", "timeout 1 curl -sSN || true; : curl")
    shell = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,  # the examples write files
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert shell.returncode == 0, shell.stderr
    assert '"state":"READ"' in shell.stdout
    assert "chat4all.messaging.v1.MessagingService" in shell.stdout
    assert "Hello from the command line" in shell.stdout
    assert len(re.findall('"state": ?"AVAILABLE"', shell.stdout)) == 2
    assert (tmp_path / "copy.jpg").read_text() == "some bytes\n"

    (python,) = blocks("python", fresh)
    example = subprocess.Popen([sys.executable, "-uc", python], stdout=subprocess.PIPE, text=True, env=environment)
    try:
        send = f"chat4all --server {fresh.target} send @ann 'Is anybody there?'"
        assert example.stdout is not None
        subprocess.run(["bash", "-c", send], env=environment, check=True, capture_output=True)
        texts = []
        while "Is anybody there?" not in texts:
            subprocess.run(["bash", "-c", send], env=environment, check=True, capture_output=True)
            texts.append(example.stdout.readline().strip())
    finally:
        example.kill()
        example.communicate()

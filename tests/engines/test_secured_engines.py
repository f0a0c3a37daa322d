"""A platform whose engines want TLS and an account."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import aclosing
from pathlib import Path

import pytest
from certificates import Certificates, make_certificates
from engine_endpoints import VARIABLE
from platform_process import PlatformProcess
from secured_engines import secured_engines

from chat4all_sdk import AsyncClient, CaughtUp, MessageCreated

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Of the engines."""
    return make_certificates(tmp_path_factory.mktemp("certificates") / "engines")


@pytest.fixture(scope="module")
def settings(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Of a platform on secured engines."""
    if VARIABLE not in os.environ:
        pytest.skip("brings up engines: see `make test-engines`")
    with secured_engines(tmp_path_factory.mktemp("engines"), certificates) as settings:
        yield settings


@pytest.fixture(scope="module")
def platform(settings: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    """One that serves."""
    command = ["-m", "chat4all_standalone.distributed", "--servers", "1", "--routers", "1"]
    platform = PlatformProcess(tmp_path_factory.mktemp("data"), settings, command)
    platform.start()
    yield platform
    platform.close()


async def test_a_message_passes_every_engine(platform: PlatformProcess) -> None:
    """Set-up, servers and workers reach Kafka, Cassandra and Redis by TLS with an account each; a message arrives."""
    async with AsyncClient(platform.target) as client:
        await client.register("ann", PASSWORD)
        ben = await client.register("ben", PASSWORD)
        await client.login("ann", PASSWORD)
        conversation = await client.create_group("group", [ben.user_id])
        async with aclosing(client.subscribe()) as events:
            async for event in events:
                if isinstance(event, CaughtUp):
                    await client.send(conversation.conversation_id, "hello")
                if isinstance(event, MessageCreated):
                    assert event.message.text == "hello"
                    break


WRONG_PASSWORDS = {
    "CHAT4ALL_KAFKA_PASSWORD": "CHAT4ALL_KAFKA_USERNAME and PASSWORD",
    "CHAT4ALL_CASSANDRA_PASSWORD": "CHAT4ALL_CASSANDRA_USERNAME and PASSWORD",
    "CHAT4ALL_REDIS_URL": "CHAT4ALL_REDIS_URL, its user and password",
}

AUTHORITIES = ("CHAT4ALL_KAFKA_TLS_CA_FILE", "CHAT4ALL_CASSANDRA_TLS_CA_FILE", "CHAT4ALL_REDIS_TLS_CA_FILE")


@pytest.mark.parametrize("setting", WRONG_PASSWORDS)
def test_a_wrong_password_is_told(
    platform: PlatformProcess, settings: Mapping[str, str], setting: str, tmp_path: Path
) -> None:
    """A server that an engine does not let in ends at once, and names the setting, never the password."""
    wrong = settings[setting].replace("correct-horse", "wrong-horse")
    told = _told_at_start({**settings, setting: wrong}, tmp_path)
    assert WRONG_PASSWORDS[setting] in told
    assert "horse" not in told


@pytest.mark.parametrize("setting", AUTHORITIES)
def test_an_untrusted_certificate_is_told(
    platform: PlatformProcess, settings: Mapping[str, str], setting: str, tmp_path: Path
) -> None:
    """A server that does not trust an engine's certificate ends at once, and names the setting."""
    stranger = make_certificates(tmp_path / "stranger").authority
    assert setting in _told_at_start({**settings, setting: str(stranger)}, tmp_path)


def _told_at_start(settings: Mapping[str, str], folder: Path) -> str:
    """The line that a server which can't start prints."""
    answer = subprocess.run(
        [sys.executable, "-m", "chat4all_server"],
        env={
            "PATH": os.environ["PATH"],
            **settings,
            "CHAT4ALL_DATA_DIR": str(folder),
            "CHAT4ALL_AUTH_CREATE_KEYS": "on",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert answer.returncode == 1, answer.stderr
    *lines, line = answer.stderr.splitlines()
    assert not [before for before in lines if before.startswith("Traceback")]
    assert line.startswith("the server can't start: ")
    return line

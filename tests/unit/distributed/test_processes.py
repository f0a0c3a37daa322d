"""Servers and workers as commands, as far as they need no engine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chat4all_standalone.distributed.engines_file import EnginesFileError, engine_settings

every_process = pytest.mark.parametrize("module", ["chat4all_server", "chat4all_workers"])


def run(module: str, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
    """A command that ends by itself."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CHAT4ALL_")}
    environ |= {f"CHAT4ALL_{name}": value for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments], env=environ, capture_output=True, text=True, timeout=60, check=False
    )


@every_process
def test_settings_are_printed_without_secrets(module: str) -> None:
    """--check-config prints every setting as it is; what is secret is hidden."""
    secrets = {"REDIS_URL": "redis://:hunter2@redis:6379/0", "CASSANDRA_PASSWORD": "hunter3"}
    answer = run(module, "--check-config", SERVER_GRPC_PORT="7777", **secrets)
    assert answer.returncode == 0
    lines = answer.stdout.splitlines()
    assert "CHAT4ALL_SERVER_GRPC_PORT=7777" in lines
    assert "CHAT4ALL_REDIS_URL=(hidden)" in lines
    assert "CHAT4ALL_KAFKA_PASSWORD=" in lines
    assert "hunter" not in answer.stdout


@every_process
def test_wrong_settings_are_all_named(module: str) -> None:
    """Each mistake has its line, and the exit code is 2."""
    answer = run(module, "--check-config", SERVER_GRPC_PORT="many", WORKER_ROLES="ruler")
    assert answer.returncode == 2
    assert "CHAT4ALL_SERVER_GRPC_PORT must be" in answer.stderr
    assert "CHAT4ALL_WORKER_ROLES must be some of router, status, inbound" in answer.stderr


def test_roles_can_be_arguments() -> None:
    """--roles goes before the environment."""
    answer = run("chat4all_workers", "--roles", "status", "--check-config", WORKER_ROLES="router")
    assert "CHAT4ALL_WORKER_ROLES=status" in answer.stdout.splitlines()


def test_a_server_makes_no_keys_unasked(tmp_path: Path) -> None:
    """Without keys a server process does not start, and says where it looked: servers with keys of their own would
    refuse each other's tokens."""
    answer = run("chat4all_server", DATA_DIR=str(tmp_path))
    assert answer.returncode == 1
    assert str(tmp_path / "keys") in answer.stderr
    assert "Traceback" not in answer.stderr
    assert list(tmp_path.iterdir()) == []


@every_process
def test_an_engine_that_is_away_is_said_in_a_line(module: str, tmp_path: Path) -> None:
    """Without Cassandra a process ends with 1 and a message, so that whoever runs it tries again later."""
    answer = run(module, DATA_DIR=str(tmp_path), AUTH_CREATE_KEYS="on", CASSANDRA_PORT="1")
    assert answer.returncode == 1
    *logged, last = answer.stderr.splitlines()
    assert "can't start: " in last
    assert all(json.loads(line) for line in logged)  # what the driver has to say


def test_engines_that_are_not_up_are_missed(tmp_path: Path) -> None:
    """Without a file of engines, or without one of those needed in it, it is said how to have them."""
    with pytest.raises(EnginesFileError, match="make engines-up"):
        engine_settings(tmp_path / "engines.json")
    (tmp_path / "engines.json").write_text('{"endpoints": {"redis": {"url": "redis://127.0.0.1:1/0"}}}')
    with pytest.raises(EnginesFileError, match="make engines-up"):
        engine_settings(tmp_path / "engines.json")

"""tools.engines, with real engines: Redis, and Kafka for those that take a JVM's time to start."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from tools.engines import EngineError, Engines, FreePorts
from tools.engines.engine import Command
from tools.engines.process import NodeProcess

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("redis", "kafka")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the engines of this module live."""
    return tmp_path_factory.mktemp("engines")


@pytest.fixture(scope="module")
def engines(directory: Path) -> Iterator[Engines]:
    """Redis and Kafka, up on free ports."""
    engines = Engines(directory)
    engines.up(NAMES, ports=dict.fromkeys(NAMES, FreePorts()))
    yield engines
    engines.down(wipe=True)


def _redis(engines: Engines, *words: str) -> str:
    """Send one command and return the first line of the answer, or of its value."""
    host, port = engines.endpoint("redis")["url"].removeprefix("redis://").partition("/")[0].split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection, connection.makefile() as answers:
        connection.sendall(" ".join(words).encode() + b"\r\n")
        first = answers.readline().strip()
        return answers.readline().strip() if first.startswith("$") else first


def _create_topic(engines: Engines, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": engines.endpoint("kafka")["bootstrap_servers"]})
    admin.create_topics([NewTopic(topic, 1)])[topic].result(timeout=30)


def _produce(engines: Engines, topic: str, values: Sequence[bytes]) -> None:
    """Produce values and wait until each is acknowledged."""
    producer = Producer({"bootstrap.servers": engines.endpoint("kafka")["bootstrap_servers"], "acks": "all"})
    errors: list[object] = []
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: errors.append(error))
    assert producer.flush(30) == 0
    assert errors == [None] * len(values)


def _consume(engines: Engines, topic: str, count: int) -> list[bytes]:
    """Read the first records of a topic as a new group, by the new group protocol."""
    servers = engines.endpoint("kafka")["bootstrap_servers"]
    group = {"group.id": f"{topic}-readers", "group.protocol": "consumer"}
    consumer = Consumer({"bootstrap.servers": servers, "auto.offset.reset": "earliest", **group})
    try:
        consumer.subscribe([topic])
        return [record.value() for record in consumer.consume(count, timeout=60)]
    finally:
        consumer.close()


def _pids(engines: Engines) -> dict[str, int | None]:
    return {status.node.name: status.pid for status in engines.status()}


def test_ready_means_usable(engines: Engines) -> None:
    """As soon as `up` returns, Redis takes a value and Kafka a topic, a record and a consumer group."""
    assert _redis(engines, "SET", "greeting", "hello") == "+OK"
    assert _redis(engines, "GET", "greeting") == "hello"
    _create_topic(engines, "usable")
    _produce(engines, "usable", [b"hello"])
    assert _consume(engines, "usable", 1) == [b"hello"]


def test_topics_are_not_created_by_mistake(engines: Engines) -> None:
    """A producer that asks for a topic that nobody created hears that there is none."""
    producer = Producer({"bootstrap.servers": engines.endpoint("kafka")["bootstrap_servers"]})
    error = producer.list_topics("misspelled", timeout=30).topics["misspelled"].error
    assert error is not None
    assert error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_up_twice_starts_nothing(engines: Engines) -> None:
    """`up` of what runs leaves every process as it is."""
    before = _pids(engines)
    engines.up(NAMES)
    assert _pids(engines) == before
    assert None not in before.values()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_was_acknowledged_survives_a_kill(engines: Engines, number: signal.Signals) -> None:
    """After a deadly signal and a start, on the same ports, everything acknowledged is there."""
    topic = f"survives-{number.name}"
    _create_topic(engines, topic)
    endpoints = [engines.endpoint(name) for name in NAMES]
    values = [b"%d" % index for index in range(100)]
    _produce(engines, topic, values)
    assert _redis(engines, "SET", topic, "kept") == "+OK"
    for name in NAMES:
        engines.kill(name, number)
    assert _pids(engines) == dict.fromkeys(NAMES)
    for name in NAMES:
        engines.start(name)
    assert [engines.endpoint(name) for name in NAMES] == endpoints
    assert _redis(engines, "GET", topic) == "kept"
    assert _consume(engines, topic, len(values)) == values


def test_restart_is_another_process_with_the_same_data(engines: Engines) -> None:
    """`restart` ends the process in good order and starts another one."""
    _redis(engines, "SET", "restarted", "kept")
    before = _pids(engines)["redis"]
    engines.restart("redis")
    assert _pids(engines)["redis"] not in (before, None)
    assert _redis(engines, "GET", "restarted") == "kept"


def test_paused_is_frozen_and_resumed_goes_on(engines: Engines) -> None:
    """A paused engine is stopped by the kernel, counts as running, and answers again once resumed."""
    process = psutil.Process(_pids(engines)["redis"])
    engines.pause("redis")
    while process.status() != psutil.STATUS_STOPPED:  # the kernel may take a moment to get to it
        time.sleep(0.01)
    assert _pids(engines)["redis"] == process.pid
    engines.resume("redis")
    assert _redis(engines, "PING") == "+PONG"


def test_engines_json_tells_what_endpoint_does(engines: Engines, directory: Path) -> None:
    """Another program finds in engines.json what this one is told."""
    endpoints = json.loads((directory / "engines.json").read_text())["endpoints"]
    assert endpoints == {name: engines.endpoint(name) for name in NAMES}


def test_a_port_that_is_taken_fails_the_whole_up(tmp_path: Path) -> None:
    """When one engine can't start, `up` says why and ends those that it had started."""
    engines = Engines(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"redis": FreePorts(), "kafka": _OnePort(taken.getsockname()[1])}
        with pytest.raises(EngineError, match="another program does"):
            engines.up(NAMES, ports=ports)
    assert engines.status() == []
    assert NodeProcess(tmp_path / "redis").pid() is None
    assert NodeProcess(tmp_path / "kafka").pid() is None


def test_an_engine_that_ends_at_once_is_noticed(tmp_path: Path) -> None:
    """When an engine can't live with its data, `up` fails with the end of its output instead of waiting."""
    engines = Engines(tmp_path)
    broken = tmp_path / "redis" / "data" / "appendonlydir"
    broken.parent.mkdir(parents=True)
    broken.write_text("no folder")
    with pytest.raises(EngineError, match=r"redis ended by itself(?s:.)*appendonlydir"):
        engines.up(["redis"], ports={"redis": FreePorts()})


def test_engines_outlive_the_command_and_end_with_down(tmp_path: Path) -> None:
    """What the command line started runs on after it, and `down` leaves no process and, with --wipe, no data."""
    command = [sys.executable, "-m", "tools.engines", "--directory", tmp_path]
    subprocess.run([*command, "up", "--only", "redis", "--free-ports"], cwd=ROOT, check=True)
    engines = Engines(tmp_path)
    process = psutil.Process(_pids(engines)["redis"])
    assert process.is_running()
    assert "redis" in process.name()
    assert subprocess.run([*command, "status"], cwd=ROOT).returncode == 0
    engines.pause("redis")  # even a frozen process ends
    subprocess.run([*command, "down", "--wipe"], cwd=ROOT, check=True)
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock"]
    assert subprocess.run([*command, "status"], cwd=ROOT).returncode == 1


def test_a_stale_pid_file_harms_nobody(tmp_path: Path) -> None:
    """A pid that belongs to another program by now is not taken for the engine, nor is that program ended."""
    process = NodeProcess(tmp_path)
    pid = process.start(Command(("/bin/sleep", "600")))
    stranger = psutil.Process(pid)
    file = tmp_path / "pid.json"
    recorded = json.loads(file.read_text())
    file.write_text(json.dumps(recorded | {"start": recorded["start"] - 1}))
    assert process.pid() is None
    process.stop(grace=1)
    assert stranger.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    file.write_text(json.dumps(recorded))
    process.stop(grace=5)
    assert not stranger.is_running()


def test_who_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """After its grace a process that ignores SIGTERM is ended by SIGKILL."""
    process = NodeProcess(tmp_path)
    process.start(Command(("/bin/sh", "-c", "trap '' TERM; echo trapped; while :; do /bin/sleep 0.01; done")))
    while "trapped" not in process.log.read_text():
        assert process.pid() is not None
    process.stop(grace=0.1)
    assert process.pid() is None


class _OnePort:
    """Gives the same port whatever is asked."""

    def __init__(self, port: int) -> None:
        self._port = port

    def pick(self, usual: int, hosts: Sequence[str]) -> int:
        return self._port

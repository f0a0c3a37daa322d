"""The command line: up, down, status, install, and single nodes started, stopped, killed, paused, resumed."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .engines import CATALOGUE, Engines
from .errors import EngineError
from .ports import FixedPorts, FreePorts, PortChoice

_CLONE = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the result is the exit status."""
    options = _parser().parse_args(arguments)
    # Ended by a signal, `up` must take down what it started, as on Ctrl-C.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    engines = Engines(options.directory)
    try:
        return _run(engines, options)
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    return 1


def _run(engines: Engines, options: argparse.Namespace) -> int:
    match options.command:
        case "up":
            sizes = {"kafka": options.kafka_brokers, "cassandra": options.cassandra_nodes}
            engines.up(options.only, sizes=sizes, ports=_ports(options))
        case "down":
            engines.down(options.only, wipe=options.wipe)
        case "install":
            engines.install(options.only)
        case "status":
            return _print_status(engines)
        case "kill":
            engines.kill(options.name, options.signal)
        case command:
            getattr(engines, command)(options.name)
    return 0


def _print_status(engines: Engines) -> int:
    """Print a line for each node; 1 when one of them does not run, or there is none."""
    nodes = engines.status()
    for status in nodes:
        where = f"{status.node.host}:{next(iter(status.node.ports.values()))}"
        how = f"pid {status.pid:<7} {status.resident_bytes / 2**20:5.0f} MiB" if status.pid else "does not run"
        print(f"{status.node.name:<12} {where:<17} {how}")
    if not nodes:
        print("no engine is up")
    return 0 if nodes and all(status.pid for status in nodes) else 1


def _ports(options: argparse.Namespace) -> dict[str, PortChoice]:
    if options.free_ports:
        free = FreePorts()
        return dict.fromkeys(CATALOGUE, free)
    return dict(options.port)


def _port(text: str) -> tuple[str, PortChoice]:
    name, _, port = text.partition("=")
    if name not in CATALOGUE or not port.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not ENGINE=PORT")
    usual = next(iter(CATALOGUE[name].nodes(1, FixedPorts())[0].ports.values()))
    return name, FixedPorts(int(port) - usual)


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in CATALOGUE]:
        raise argparse.ArgumentTypeError(f"no such engine: {', '.join(unknown)}; there are {', '.join(CATALOGUE)}")
    return names


def _signal(text: str) -> signal.Signals:
    try:
        return signal.Signals[f"SIG{text.upper().removeprefix('SIG')}"]
    except KeyError:
        raise argparse.ArgumentTypeError(f"no such signal: {text}") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.engines", description=__doc__)
    directory = os.environ.get("CHAT4ALL_ENGINES_DIR") or str(_CLONE / ".engines")
    parser.add_argument("--directory", type=Path, default=Path(directory), help="data, logs, pids (%(default)s)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="start engines and wait until they are ready")
    _only(up, list(CATALOGUE))
    up.add_argument("--kafka-brokers", type=int, default=1, choices=(1, 3))
    up.add_argument("--cassandra-nodes", type=int, default=1, choices=(1, 3))
    choice = up.add_mutually_exclusive_group()
    choice.add_argument(
        "--port",
        type=_port,
        action="append",
        default=[],
        metavar="ENGINE=PORT",
        help="listen elsewhere; the engine's other ports move by as much",
    )
    choice.add_argument("--free-ports", action="store_true", help="pick free ports; engines.json tells which")
    down = commands.add_parser("down", help="stop engines and wait until they are gone")
    _only(down, None)
    down.add_argument("--wipe", action="store_true", help="remove their data too")
    _only(commands.add_parser("install", help="bring the programs here without starting them"), list(CATALOGUE))
    commands.add_parser("status", help="one line a node; exit status 1 unless all run")
    for command, what in {
        "start": "start what was stopped or killed, and wait until it is ready",
        "stop": "stop in good order",
        "restart": "stop in good order and start",
        "kill": "send a deadly signal and wait until it is gone",
        "pause": "freeze: connections stay open, nobody answers",
        "resume": "let a frozen one go on",
    }.items():
        single = commands.add_parser(command, help=what)
        single.add_argument("name", help="an engine (kafka) or one node of it (kafka-2)")
        if command == "kill":
            single.add_argument("--signal", type=_signal, default=signal.SIGKILL)
    return parser


def _only(parser: argparse.ArgumentParser, default: list[str] | None) -> None:
    parser.add_argument("--only", type=_names, default=default, metavar="ENGINE,...", help="default: all")


if __name__ == "__main__":
    sys.exit(main())

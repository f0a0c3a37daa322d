"""Logs, as a process of its own writes them."""

import json
import os
import pty
import subprocess
import sys
from typing import Any

PROGRAM = """
import logging
import structlog
from chat4all_core.telemetry.logging import configure_logging
from chat4all_core.telemetry.tracing import use_traceparent

early = structlog.get_logger("early")  # as modules make theirs when they are imported
configure_logging("INFO")
early.info("a message was routed", sequence=7)
early.debug("not to be seen")
with use_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"):
    early.warning("within a trace — é")
    logging.getLogger("library").warning("libraries %s", "too")
logging.getLogger("library").debug("not to be seen")
try:
    1 / 0
except ZeroDivisionError:
    early.exception("it failed")
"""


def _lines() -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True, encoding="utf-8")
    assert done.stdout == ""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_machines_get_one_json_object_a_line() -> None:
    """Where standard error is no terminal, an event is a line of JSON with time, level, logger and its values."""
    first = _lines()[0]
    assert first.pop("timestamp").endswith("Z")
    assert first == {"event": "a message was routed", "level": "info", "logger": "early", "sequence": 7}


def test_events_below_the_level_are_left_out() -> None:
    """Neither our own nor a library's events below the level are written."""
    assert [line["event"] for line in _lines()] == [
        "a message was routed",
        "within a trace — é",
        "libraries too",
        "it failed",
    ]


def test_events_within_a_trace_name_it() -> None:
    """Our own events and a library's within a trace carry its id, others none."""
    ids = [line.get("trace_id") for line in _lines()]
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    assert ids == [None, trace_id, trace_id, None]


def test_an_exception_is_a_value_of_its_event() -> None:
    """A traceback stays within the line of the event that it belongs to."""
    assert "ZeroDivisionError: division by zero" in _lines()[-1]["exception"]


def test_people_get_readable_text() -> None:
    """On a terminal, events are lines of text."""
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stderr=theirs) as process:
        os.close(theirs)
        text = _read_all(ours)
    assert process.returncode == 0
    assert "a message was routed" in text
    assert "ZeroDivisionError: division by zero" in text
    assert not text.startswith("{")


def _read_all(terminal: int) -> str:
    written = b""
    try:
        while chunk := os.read(terminal, 4_096):
            written += chunk
    except OSError:  # Linux's way to say that the other side is closed
        pass
    finally:
        os.close(terminal)
    return written.decode()

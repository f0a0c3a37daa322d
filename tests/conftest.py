"""Options and fixtures of all tests."""

import shutil
import signal
import subprocess

import pytest
from program import find_program


def pytest_addoption(parser: pytest.Parser) -> None:
    """How hard the crash test and the fault test try; `make test-crash` and `make test-faults` raise it."""
    parser.addoption("--messages", type=int, default=1_500, help="messages of these tests, at least")
    parser.addoption(
        "--platform", choices=("standalone", "distributed"), default="standalone", help="what end-to-end tests talk to"
    )
    parser.addoption("--small-files", type=int, default=300, help="how many the test of many small files makes")
    parser.addoption("--channel-messages", type=int, default=120, help="messages of the test of failing channels")
    parser.addoption("--kills", type=int, default=3, help="kills of the crash test")
    parser.addoption("--faults", type=int, default=7, help="faults of the fault test")
    parser.addoption("--only", default="", help="only faults whose names have this in them")
    parser.addoption("--rate", type=float, default=150, help="messages that it sends a second")
    parser.addoption("--nodes", type=int, choices=(1, 3), default=1, help="Kafka brokers and Cassandra nodes it has")
    parser.addoption("--seed", type=int, help="chooses its faults; one that is printed repeats them")
    parser.addoption("--file-mebibytes", type=int, default=64, help="size of the file whose upload is cut")
    parser.addoption("--cuts", type=int, default=6, help="how often it is cut")


def pytest_configure() -> None:
    """A job in the background of a script is started with SIGINT ignored, and so would be the programs under test, some
    of which are interrupted."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A --timeout that is asked for goes before those in the tests, which are for their short forms."""
    if seconds := config.getoption("timeout"):
        for item in items:
            item.add_marker(pytest.mark.timeout(seconds), append=False)


@pytest.fixture(scope="session")
def grpcurl() -> str:
    """The grpcurl binary."""
    return find_program("grpcurl", ".tools/bin", *_go_bin(), advice=" (`make grpcurl` gets it)")


def _go_bin() -> list[str]:
    if shutil.which("go") is None:
        return []
    path = subprocess.run(["go", "env", "GOPATH"], capture_output=True, text=True, check=True).stdout.strip()
    return [f"{path}/bin"]

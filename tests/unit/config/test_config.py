"""Settings."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from chat4all_core.adapters.auth.signing_key import Algorithm
from chat4all_core.config import Settings, load_settings, to_markdown
from chat4all_core.setting import SettingsError

ROOT = Path(__file__).resolve().parents[3]


def _mistakes(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as error:
        load_settings(environ)
    assert str(error.value) == "\n".join(error.value.mistakes)
    return error.value.mistakes


def _auth(algorithm: str) -> Settings:
    return load_settings({"CHAT4ALL_AUTH_ALGORITHM": algorithm})


def test_everything_has_a_default() -> None:
    """Without any variable there are settings for one machine, reachable from it alone."""
    settings = load_settings({"PATH": "/bin"})
    assert settings.data.dir == Path(".chat4all")
    assert (settings.envoy.address, settings.envoy.port) == ("127.0.0.1", 8080)
    assert (settings.server.address, settings.server.grpc_port, settings.server.web_port) == ("127.0.0.1", 50051, 0)
    assert settings.log.partitions == 12
    assert (settings.auth.algorithm, settings.auth.access_token_seconds) == ("EdDSA", 3600)
    assert settings.subscribe.heartbeat_seconds == 15.0
    assert (settings.telemetry.log_level, settings.telemetry.traces) == ("INFO", "off")


def test_variables_are_read_by_their_kind() -> None:
    """Numbers, addresses, choices, texts and paths come from their variables."""
    settings = load_settings(
        {
            "CHAT4ALL_DATA_DIR": "/data",
            "CHAT4ALL_ENVOY_ADDRESS": "0:0:0:0:0:0:0:0",
            "CHAT4ALL_ENVOY_PORT": "80",
            "CHAT4ALL_SUBSCRIBE_HEARTBEAT_SECONDS": "0.5",
            "CHAT4ALL_AUTH_ISSUER": "https://chat.example",
            "CHAT4ALL_TELEMETRY_TRACES": "console",
        }
    )
    assert settings.data.dir == Path("/data")
    assert (settings.envoy.address, settings.envoy.port) == ("::", 80)
    assert settings.subscribe.heartbeat_seconds == 0.5
    assert settings.auth.issuer == "https://chat.example"
    assert settings.telemetry.traces == "console"


def test_an_empty_variable_is_not_set() -> None:
    """An empty variable means the default, as container tools pass on what is not set."""
    assert load_settings({"CHAT4ALL_ENVOY_PORT": ""}) == load_settings({})


def test_keys_lie_in_the_data_folder_unless_said_otherwise() -> None:
    """The folder of the keys follows the data folder until it is set itself."""
    assert load_settings({"CHAT4ALL_DATA_DIR": "/data"}).keys_dir == Path("/data/keys")
    assert load_settings({"CHAT4ALL_AUTH_KEYS_DIR": "/secrets"}).keys_dir == Path("/secrets")


def test_every_mistake_is_named_at_once() -> None:
    """All wrong and unknown variables are reported together, a line each."""
    environ = {
        "CHAT4ALL_ENVOY_PORT": "http",
        "CHAT4ALL_ENVOY_PROT": "8080",
        "CHAT4ALL_AUTH_ALGORITHM": "none",
        "CHAT4ALL_SERVER_ADDRESS": "localhost",
    }
    assert _mistakes(environ) == (
        "CHAT4ALL_AUTH_ALGORITHM must be one of EdDSA, RS256, HS256, is 'none'",
        "CHAT4ALL_ENVOY_PORT must be a whole number from 1 to 65535, is 'http'",
        "CHAT4ALL_ENVOY_PROT is no setting; did you mean CHAT4ALL_ENVOY_PORT?",
        "CHAT4ALL_SERVER_ADDRESS must be an IP address, is 'localhost'",
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("CHAT4ALL_ENVOY_PORT", "0"),
        ("CHAT4ALL_ENVOY_PORT", "65536"),
        ("CHAT4ALL_SERVER_GRPC_PORT", "-1"),
        ("CHAT4ALL_LOG_PARTITIONS", "1.5"),
        ("CHAT4ALL_SUBSCRIBE_HEARTBEAT_SECONDS", "nan"),
        ("CHAT4ALL_SUBSCRIBE_HEARTBEAT_SECONDS", "0"),
        ("CHAT4ALL_TELEMETRY_LOG_LEVEL", "LOUD"),
        ("CHAT4ALL_ENVOY_ADDRESS", "127.0.0.1:80"),
    ],
)
def test_values_out_of_range_are_refused(name: str, text: str) -> None:
    """A value that is not allowed is refused with what is."""
    (mistake,) = _mistakes({name: text})
    assert re.fullmatch(f"{name} must be .+, is {text!r}", mistake)


def test_a_setting_of_another_section_is_suggested() -> None:
    """Whoever looks for the log level in the section of the event log is shown where it is."""
    (mistake,) = _mistakes({"CHAT4ALL_LOG_LEVEL": "DEBUG"})
    assert "did you mean CHAT4ALL_TELEMETRY_LOG_LEVEL?" in mistake


def test_what_is_like_nothing_gets_no_suggestion() -> None:
    """A variable that is like no setting is refused without a guess."""
    assert _mistakes({"CHAT4ALL_QUUX": "1"}) == ("CHAT4ALL_QUUX is no setting",)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_every_algorithm_of_keys_can_be_chosen(algorithm: Algorithm) -> None:
    """The setting allows each algorithm that the keys know."""
    assert Algorithm(_auth(algorithm.value).auth.algorithm) is algorithm


def test_the_page_of_settings_is_up_to_date() -> None:
    """docs/configuration.md is what the command prints, and names every setting."""
    printed = subprocess.run(
        [sys.executable, "-m", "chat4all_core.config"], capture_output=True, check=True, encoding="utf-8"
    ).stdout
    assert printed == to_markdown()
    assert (ROOT / "docs/configuration.md").read_text(encoding="utf-8") == printed


def test_every_documented_default_is_the_default() -> None:
    """Setting each variable to the default that the page tells changes nothing."""
    rows = re.findall(r"^\| (CHAT4ALL_\w+) \| `(.+?)` \|", to_markdown(), re.MULTILINE)
    assert load_settings(dict(rows)) == load_settings({})
    assert len(rows) > 10


def test_a_secret_is_not_shown() -> None:
    """Settings can be printed: a password is in them and can't be seen."""
    settings = load_settings({"CHAT4ALL_CASSANDRA_PASSWORD": "hunter2"})
    assert settings.cassandra.password.value == "hunter2"
    assert "hunter2" not in f"{settings!r} {settings}"


def test_settings_of_several_values() -> None:
    """Nodes and copies are divided by commas, and nothing half understood is accepted."""
    settings = load_settings(
        {"CHAT4ALL_CASSANDRA_CONTACT_POINTS": "one, two", "CHAT4ALL_CASSANDRA_REPLICATION": "east=3, west-2=1"}
    )
    assert settings.cassandra.contact_points == ("one", "two")
    assert settings.cassandra.replication == (("east", 3), ("west-2", 1))
    assert len(_mistakes({"CHAT4ALL_CASSANDRA_CONTACT_POINTS": "one,"})) == 1
    assert len(_mistakes({"CHAT4ALL_CASSANDRA_REPLICATION": "east=3,west"})) == 1

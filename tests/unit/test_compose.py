"""compose.yaml and what it mounts, checked without a container engine."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from chat4all_core.config import load_settings
from chat4all_core.domain.channel import CHANNELS

ROOT = Path(__file__).resolve().parents[2]
SECRETS = ("REDIS_PASSWORD", "MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD", "GRAFANA_ADMIN_PASSWORD")
ENGINES = ("kafka", "cassandra", "redis", "minio")


def _config(directory: Path, secrets: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Have podman-compose read a copy of compose.yaml, beside which nobody's .env lies."""
    shutil.copy(ROOT / "compose.yaml", directory)
    # It asks for podman's version before it does anything; `config` needs nothing else of it.
    podman = directory / "podman"
    podman.write_text("#!/bin/sh\necho podman version 5.0.0\n")
    podman.chmod(0o755)
    return subprocess.run(
        [Path(sys.executable).with_name("podman-compose"), "--podman-path", podman, "--profile", "channels", "config"],
        cwd=directory,
        env={"PATH": os.environ["PATH"]} | secrets,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The services as podman-compose understands them."""
    answer = _config(tmp_path_factory.mktemp("compose"), {name: f"secret-{name}" for name in SECRETS})
    assert answer.returncode == 0, answer.stderr
    services: dict[str, Any] = yaml.safe_load(answer.stdout)["services"]
    return services


@pytest.mark.parametrize("missing", SECRETS)
def test_no_secret_has_a_default(tmp_path: Path, missing: str) -> None:
    """Without any one of the secrets nothing starts, and the error says which and where to set it."""
    answer = _config(tmp_path, {name: "x" for name in SECRETS if name != missing})
    assert answer.returncode != 0
    assert f"{missing} is missing a value: set it in .env, see deploy/env.example" in answer.stderr


def test_the_example_names_every_secret_and_gives_none() -> None:
    """deploy/env.example has a line without a value for each secret."""
    lines = (ROOT / "deploy/env.example").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == [f"{name}=" for name in SECRETS]


def test_there_are_two_of_each_and_every_engine(services: dict[str, Any]) -> None:
    """Two servers, two routers and two status workers run beside Envoy, the engines and the monitoring, and, where
    channels are asked for, an inbound worker and a connector for each."""
    pairs = [f"{kind}-{number}" for kind in ("server", "router", "status") for number in (1, 2)]
    of_channels = {name: service for name, service in services.items() if service.get("profiles") == ["channels"]}
    assert set(services) - set(of_channels) == {"envoy", "setup", "prometheus", "grafana", *ENGINES, *pairs}
    assert set(of_channels) == {"inbound", *(f"connector-{channel}" for channel in CHANNELS)}


def test_every_variable_is_a_setting(services: dict[str, Any]) -> None:
    """What our own processes are given are settings with values that are allowed, so that they start."""
    ours = [service for service in services.values() if "app:" in service["image"]]
    assert len(ours) == 8 + len(CHANNELS)
    for service in ours:
        load_settings(dict(service["environment"]))


def test_commands_are_modules_of_ours(services: dict[str, Any]) -> None:
    """Each command names a module that can be run."""
    for service in services.values():
        if "app:" in service["image"]:
            assert importlib.util.find_spec(f"{service['command'][0]}.__main__"), service["command"]


def test_images_are_pinned(services: dict[str, Any]) -> None:
    """Every image has a version as its tag."""
    for name, service in services.items():
        _, _, tag = service["image"].partition(":")
        assert any(character.isdigit() for character in tag), name


def test_what_is_reachable_is_so_from_this_machine_alone(services: dict[str, Any]) -> None:
    """Only Envoy, Grafana and, for links to files, MinIO publish a port, on loopback until someone says otherwise."""
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports == {
        "envoy": ["127.0.0.1:8080:8080"],
        "minio": ["127.0.0.1:9000:9000"],
        "grafana": ["127.0.0.1:3000:3000"],
    }


def test_links_to_files_lead_to_the_published_store(services: dict[str, Any]) -> None:
    """Servers sign links for the address at which MinIO is published, and set-up makes the bucket where they look."""
    _, port, _ = services["minio"]["ports"][0].split(":")
    for server in ("server-1", "server-2"):
        assert services[server]["environment"]["CHAT4ALL_S3_PUBLIC_URL"] == f"http://localhost:{port}"
        for name in ("ENDPOINT_URL", "ACCESS_KEY", "SECRET_KEY"):
            setting = f"CHAT4ALL_S3_{name}"
            assert services[server]["environment"][setting] == services["setup"]["environment"][setting]


def test_what_others_wait_for_has_a_health_check(services: dict[str, Any]) -> None:
    """Whatever serves has a health check, so waiting for it means something."""
    for name in (*ENGINES, "envoy", "server-1", "server-2", "prometheus", "grafana"):
        assert services[name]["healthcheck"]["test"], name


def test_mounted_files_exist(services: dict[str, Any]) -> None:
    """Every file or folder that is mounted from the clone is in it."""
    mounts = [mount for service in services.values() for mount in service.get("volumes", ())]
    sources = [mount.partition(":")[0] for mount in mounts if mount.startswith("./")]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []


def test_prometheus_scrapes_and_grafana_shows_what_there_is(services: dict[str, Any]) -> None:
    """Scrape targets are services of compose.yaml, all servers, workers and connectors among them; the rules are
    mounted beside; and the dashboard's data source is the provisioned one."""
    prometheus = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    jobs = prometheus["scrape_configs"]
    targets = [target for job in jobs for each in job["static_configs"] for target in each["targets"]]
    ours = {name for name, service in services.items() if "app:" in service["image"]} - {"setup"}
    assert ours | {"127.0.0.1", "minio"} == {target.partition(":")[0] for target in targets}
    for file in prometheus["rule_files"]:
        rules = yaml.safe_load((ROOT / "deploy/prometheus" / file).read_text())["groups"][0]["rules"]
        assert all(rule["annotations"]["summary"] and rule["annotations"]["remedy"] for rule in rules)
    provisioned = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/prometheus.yaml").read_text())
    dashboard = json.loads((ROOT / "deploy/grafana/dashboards/chat4all.json").read_text())
    known = {source["uid"] for source in provisioned["datasources"]}
    assert {panel["datasource"]["uid"] for panel in dashboard["panels"]} <= known


def test_envoy_accepts_the_configuration_that_its_image_is_built_with(tmp_path: Path, services: dict[str, Any]) -> None:
    """What deploy/envoy/render.py writes for the servers' addresses is valid, and names each of them."""
    arguments = dict(argument.split("=", 1) for argument in services["envoy"]["build"]["args"])
    addresses = arguments["SERVERS"].split()
    networks = [services[f"server-{number}"]["networks"] for number in (1, 2)]
    assert addresses == [network["backend"]["ipv4_address"] for network in networks]
    output = tmp_path / "envoy.yaml"
    rendering = [sys.executable, ROOT / "deploy/envoy/render.py", "--output", output, *addresses]
    descriptors, template = ROOT / "gen/envoy/chat4all.binpb", ROOT / "envoy/envoy.yaml.tmpl"
    subprocess.run([*rendering, "--descriptors", descriptors, "--template", template], check=True)
    assert all(address in output.read_text() for address in addresses)
    envoy = Path(sys.executable).with_name("envoy")
    answer = subprocess.run([envoy, "--mode", "validate", "-c", output], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr

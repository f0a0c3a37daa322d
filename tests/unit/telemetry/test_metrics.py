"""The declared metrics."""

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from chat4all_core.telemetry.metrics import Metrics

LABELS = {"method", "code", "role", "reason", "channel", "state", "outcome", "kind", "partition"}
ROOT = Path(__file__).resolve().parents[3]
UNITS = ("_seconds", "_total", "_calls", "_records", "_open", "_halted", "_held", "_accounts")


def _declared() -> dict[str, MetricWrapperBase]:
    return vars(Metrics(CollectorRegistry()))


@pytest.mark.parametrize("attribute", _declared())
def test_names_follow_the_rules(attribute: str) -> None:
    """Every metric has the platform's prefix, its unit at the end, and a sentence of help."""
    (family,) = _declared()[attribute].describe()
    name = f"{family.name}_total" if family.type == "counter" else family.name
    assert re.fullmatch(r"chat4all_[a-z_]+", name)
    assert name.endswith(UNITS)
    assert family.documentation.endswith(".")


@pytest.mark.parametrize("attribute", _declared())
def test_labels_are_from_closed_sets(attribute: str) -> None:
    """No metric has a label that could hold an id."""
    assert set(_declared()[attribute]._labelnames) <= LABELS


def _source() -> str:
    folders = ("core", "server", "workers", "standalone")
    return "\n".join(path.read_text("utf-8") for folder in folders for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("attribute", _declared())
def test_each_has_a_writer(attribute: str) -> None:
    """No metric is declared that nothing in the platform ever writes."""
    assert re.search(rf"metrics\.{attribute}\b", _source())


@pytest.mark.parametrize("file", ["grafana/dashboards/chat4all.json", "prometheus/alerts.yml"])
def test_dashboard_and_alerts_ask_for_what_there_is(file: str) -> None:
    """Every metric that the dashboard or an alert asks for is declared."""
    families = [family for metric in _declared().values() for family in metric.describe()]
    names = {f"{family.name}{suffix}" for family in families for suffix in ("", "_total", "_bucket", "_count", "_sum")}
    asked = set(re.findall(r"\bchat4all_\w+", (ROOT / "deploy" / file).read_text("utf-8")))
    assert asked
    assert asked <= names


def test_metrics_of_two_processes_are_apart() -> None:
    """What one set of metrics counts does not show in another's registry."""
    one, other = CollectorRegistry(), CollectorRegistry()
    Metrics(one).messages_routed.inc(3)
    Metrics(other)
    assert b"chat4all_messages_routed_total 3.0" in generate_latest(one)
    assert b"chat4all_messages_routed_total 0.0" in generate_latest(other)


def test_a_registry_takes_them_once() -> None:
    """Two sets in one registry, of which one would go unseen, are refused."""
    registry = CollectorRegistry()
    Metrics(registry)
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        Metrics(registry)

"""The declared metrics."""

import re

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics import MetricWrapperBase

from chat4all_core.telemetry.metrics import Metrics

LABELS = {"method", "code", "role", "reason"}
UNITS = ("_seconds", "_total", "_calls", "_records", "_open", "_halted")


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

"""What the driver is told, as far as no node is needed to see it."""

from itertools import islice

from chat4all_core.adapters.cassandra.cluster import build_cluster
from chat4all_core.config import CassandraSection


def test_a_node_that_is_away_is_never_given_up() -> None:
    """However long a node is down, the driver tries to reach it every few seconds."""
    with build_cluster(CassandraSection()) as cluster:
        pauses = list(islice(cluster.reconnection_policy.new_schedule(), 10_000))
    assert len(pauses) == 10_000
    assert max(pauses) < 3

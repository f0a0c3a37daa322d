"""How writes are divided into requests."""

from typing import Any, cast

import pytest
from cassandra.query import BatchStatement, SimpleStatement

from chat4all_core.adapters.cassandra.request_groups import write_batches
from chat4all_core.adapters.cassandra.session import Session


class OneNode:
    """Owns everything."""

    def owner(self, _key: bytes) -> object:
        return self


def rows(count: int, size: int = 10) -> list[Any]:
    """Writes of so many rows, each in a partition of its own."""
    made = []
    for number in range(count):
        statement = SimpleStatement("INSERT", routing_key=number.to_bytes(4, "big"))
        statement.values = [bytes(size)]
        made.append(statement)
    return made


def sizes(statements: list[Any]) -> list[int]:
    """Rows of each request."""
    return [
        len(request._statements_and_parameters) if isinstance(request, BatchStatement) else 1
        for request in write_batches(cast(Session, OneNode()), statements)
    ]


@pytest.mark.parametrize(
    ("count", "divided"),
    [(0, []), (1, [1]), (8, [8]), (16, [8, 8]), (64, [8] * 8), (120, [15] * 8), (600, [30] * 20)],
)
def test_a_batch_is_divided_for_eight_to_be_written_at_once(count: int, divided: list[int]) -> None:
    """Requests hold no fewer than 8 rows while there are others, and no more than 30."""
    assert sizes(rows(count)) == divided


def test_large_rows_make_small_requests() -> None:
    """No request comes near the size at which Cassandra refuses it."""
    assert sizes(rows(6, size=10_000)) == [2, 2, 2]

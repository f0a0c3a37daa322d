"""The checker of histories is itself checked: it must notice what it is there to notice."""

from collections.abc import Callable

import pytest
from history import History, Sent, Stored, violations


def good() -> History:
    """Three messages of one sender in one conversation, all well."""
    messages = [Stored("c", n, f"m{n}", f"e{n}") for n in (1, 2, 3)]
    return History([Sent("ann", "c", n, f"m{n}") for n in (1, 2, 3)], list(messages), list(messages))


def test_a_good_history_has_no_violation() -> None:
    """Nothing is reported when everything was kept."""
    assert violations(good()) == []


def lose(history: History) -> None:
    del history.stored[1]


def double(history: History) -> None:
    history.stored.append(Stored("c", 4, "m3", "e4"))


def swap(history: History) -> None:
    history.stored[0], history.stored[1] = Stored("c", 1, "m2", "e1"), Stored("c", 2, "m1", "e2")


def hide(history: History) -> None:
    del history.seen[2]


def repeat_event(history: History) -> None:
    history.seen.append(history.seen[0])


def invent(history: History) -> None:
    history.stored.append(Stored("c", 4, "m4", "e4"))


@pytest.mark.parametrize("damage", [lose, double, swap, hide, repeat_event, invent])
def test_damage_is_reported(damage: Callable[[History], None]) -> None:
    """A lost, doubled, swapped, invisible, repeated or invented message is reported."""
    history = good()
    damage(history)
    assert violations(history)

"""The checker of histories is itself checked: it must notice what it is there to notice."""

from collections.abc import Callable

import pytest
from history import History, Moved, Reloaded, Sent, Stored, violations


def message(n: int) -> Stored:
    return Stored("c", n, f"m{n}", f"e{n}")


def moved(sequence: int, event_id: str = "") -> Moved:
    return Moved("c", "ben", "DELIVERED", sequence, event_id or f"s{sequence}")


def good() -> History:
    """Five messages in one conversation, all well: the third was sent while the second was, and one subscriber met
    with a RESET, after which one message came by the listing and the next by both."""
    messages = [message(n) for n in range(1, 6)]
    times = [(1, 2), (3, 6), (4, 5), (7, 8), (9, 10)]
    return History(
        sent=[Sent("c", m.message_id, *time) for m, time in zip(messages, times, strict=True)],
        stored=list(messages),
        seen={
            "ben": [*messages[:2], moved(1), *messages[2:], moved(5)],
            "cat": [*messages[:2], moved(1), Reloaded({"c": 4}), moved(1), *messages[3:], moved(5)],
        },
    )


def test_a_good_history_has_no_violation() -> None:
    """Nothing is reported when everything was kept."""
    assert violations(good()) == []


def lose(history: History) -> None:
    del history.stored[1]


def lose_the_last(history: History) -> None:
    del history.stored[4], history.seen["ben"][6], history.seen["cat"][6]


def double(history: History) -> None:
    history.stored.append(Stored("c", 6, "m5", "e6"))


def swap(history: History) -> None:
    history.stored[0], history.stored[1] = Stored("c", 1, "m2", "e1"), Stored("c", 2, "m1", "e2")


def invent(history: History) -> None:
    history.stored.append(message(6))


def hide(history: History) -> None:
    del history.seen["ben"][0]


def hide_the_last(history: History) -> None:
    del history.seen["ben"][5]


def hide_from_the_listing(history: History) -> None:
    history.seen["cat"][3] = Reloaded({"c": 2})


def hide_after_a_reset(history: History) -> None:
    history.seen["cat"][3] = Reloaded({"c": 3})
    del history.seen["cat"][5]


def unlist(history: History) -> None:
    history.seen["cat"][3] = Reloaded({"c": 1})


def repeat_event(history: History) -> None:
    history.seen["ben"].append(history.seen["ben"][0])


def repeat_after_a_reset(history: History) -> None:
    history.seen["cat"].append(message(4))


def exchange_events(history: History) -> None:
    seen = history.seen["ben"]
    seen[0], seen[1] = seen[1], seen[0]


def show_another(history: History) -> None:
    history.seen["ben"][0] = Stored("c", 1, "m2", "e1")


def go_back(history: History) -> None:
    history.seen["ben"].append(moved(4, "s6"))


def repeat_a_state(history: History) -> None:
    history.seen["ben"].append(moved(6, "s5"))


DAMAGES = [
    lose,
    lose_the_last,
    double,
    swap,
    invent,
    hide,
    hide_the_last,
    hide_from_the_listing,
    hide_after_a_reset,
    unlist,
    repeat_event,
    repeat_after_a_reset,
    exchange_events,
    show_another,
    go_back,
    repeat_a_state,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_reported(damage: Callable[[History], None]) -> None:
    """A lost, doubled, swapped, invented, invisible or repeated message, and a state that goes back, are reported,
    whether before a RESET or after it."""
    history = good()
    damage(history)
    assert violations(history)

"""What the simulators remember has an end."""

from tools.simulators.accepted_log import AcceptedLog, AcceptedMessage
from tools.simulators.bounded import Bounded
from tools.simulators.channel import Channel
from tools.simulators.media_store import MediaStore
from tools.simulators.rate_limit import TokenBucket
from tools.simulators.telegram.updates import UpdateQueue
from tools.simulators.traffic import Direction, Place, Traffic


def _message(position: int) -> AcceptedMessage:
    return AcceptedMessage(position, Channel.WHATSAPP, "a", "r", str(position), "text", "", None, None, None, 0.0, True)


def test_log_keeps_the_newest() -> None:
    """Beyond its size the log forgets the oldest messages; positions go on."""
    log = AcceptedLog(3)
    for _ in range(5):
        log.append(_message(log.next_position()))
    assert [message.position for message in log.read()] == [3, 4, 5]


def test_least_recently_used_goes_first() -> None:
    """What was used last stays."""
    values: Bounded[str, int] = Bounded(2)
    values.put("a", 1)
    values.put("b", 2)
    assert values.get("a") == 1
    values.put("c", 3)
    assert (values.get("a"), values.get("b"), values.get("c"), len(values)) == (1, None, 3, 2)


def test_traffic_has_ends() -> None:
    """A conversation keeps its newest entries, and there are only so many conversations."""
    traffic = Traffic(conversations=2, entries=3)
    for customer in ("a", "b", "c"):
        for number in range(5):
            traffic.add(0.0, Place(Channel.WHATSAPP, "n", customer), Direction.CUSTOMER, "text", text=str(number))
    assert [entry.place.customer for entry in traffic.newest()] == ["c", "b"]
    assert [entry.text for entry in traffic.read(Place(Channel.WHATSAPP, "n", "c"))] == ["2", "3", "4"]
    assert traffic.read(Place(Channel.WHATSAPP, "n", "a")) == []


def test_files_have_room_for_so_many_bytes() -> None:
    """Beyond its bytes the store forgets what was used longest ago, and never what was just put."""
    store = MediaStore(10, lambda: 0.0)
    for name in ("a", "b", "c"):
        store.put(name, "owner", b"12345", "text/plain", 1.0)
    assert [store.get(name) is not None for name in ("a", "b", "c")] == [False, True, True]
    store.put("large", "owner", b"0" * 50, "text/plain", 1.0)
    assert store.get("large") is not None
    assert store.get("c") is None
    store.put("after", "owner", b"1", "text/plain", 1.0)
    assert store.get("large") is None


def test_same_name_counts_once() -> None:
    """A file that replaces another of its name takes its room."""
    store = MediaStore(10, lambda: 0.0)
    for _ in range(5):
        store.put("a", "owner", b"12345", "text/plain", 1.0)
    store.put("b", "owner", b"12345", "text/plain", 1.0)
    assert store.get("a") is not None


def test_updates_have_ends() -> None:
    """Of updates that nobody takes the newest stay."""
    queue = UpdateQueue(2, 60.0, lambda: 0.0)
    for number in range(4):
        queue.add("message", "1", {"number": number})
    assert [update.content["number"] for update in queue.read(10)] == [2, 3]


def test_tokens_are_never_more_than_the_burst() -> None:
    """A bucket fills up to its burst, says how long to wait, and a clock that goes back gives nothing."""
    seconds = 0.0
    bucket = TokenBucket(2.0, 3.0, lambda: seconds)
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, 0.5]
    seconds = 100.0
    assert [bucket.take() for _ in range(4)] == [0, 0, 0, 0.5]
    seconds = 50.0
    assert bucket.take() == 0.5

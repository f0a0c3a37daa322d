"""What operators do, by the library and on the command line."""

from command_line import CommandLine

from chat4all.admin.v1 import admin_service_pb2 as pb
from chat4all_sdk import AsyncClient

from .memory_platform.server import MemoryPlatform
from .memory_platform.state import now


def letters(count: int) -> list[pb.DeadLetter]:
    """Newest first."""
    return [
        pb.DeadLetter(
            dead_letter_id=f"letter-{number}",
            topic="chat4all.delivery.requested.whatsapp.v1",
            key="+5511987654321",
            code="131026",
            reason="it can't be delivered",
            remedy="ask for another number",
            reject_time=now(),
            history=[pb.DeadLetterEvent(time=now(), what="tried once")],
        )
        for number in range(count)
    ]


async def test_all_dead_letters_are_listed(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """`dead_letters` goes through all pages, and redriving one gives it back with the time."""
    platform.admin.letters = letters(5)
    found = [letter async for letter in alice.dead_letters(page_size=2)]
    assert [letter.dead_letter_id for letter in found] == [f"letter-{number}" for number in range(5)]
    assert [(e.what, letter.redrive_time) for letter in found[:1] for e in letter.history] == [("tried once", None)]
    again = await alice.redrive_dead_letter("letter-3")
    assert again.redrive_time is not None


async def test_dead_letters_on_the_command_line(platform: MemoryPlatform, as_alice: CommandLine) -> None:
    """list shows why each is dead and what helps, redrive has them tried again, and an unknown one is refused."""
    platform.admin.letters = letters(3)
    shown = (await as_alice("admin", "dead-letters", "list", "-n", "2")).out
    assert "letter-1  +5511987654321: it can't be delivered (131026)" in shown
    assert "ask for another number" in shown
    assert "letter-2" not in shown
    (first, second) = (await as_alice("--json", "admin", "dead-letters", "redrive", "letter-0", "letter-2")).json()
    assert [first["dead_letter_id"], second["dead_letter_id"]] == ["letter-0", "letter-2"]
    assert first["redrive_time"]
    assert (await as_alice("admin", "dead-letters", "redrive", "nothing")).code == 1


async def test_status_on_the_command_line(as_alice: CommandLine) -> None:
    """Each part is shown with whether it is ready."""
    shown = await as_alice("admin", "status")
    assert shown.out == "event_log: ready\nstores: not ready\nchannels: whatsapp\n"
    assert (await as_alice("admin", "status", "--json")).json()[0]["ready"] is False

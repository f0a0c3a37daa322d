"""The limits of the WhatsApp simulator, on a clock of the test's own."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from channel_clients import ANA, BRUNO, GraphClient
from tools.simulators import Settings, Simulators
from tools.simulators.whatsapp.settings import WhatsAppSettings


class _Clock:
    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
async def simulators(clock: _Clock) -> AsyncIterator[Simulators]:
    """Ten messages a second, and usual pair limits."""
    async with Simulators(Settings(whatsapp=WhatsAppSettings(messages_per_second=10, burst=10)), now=clock) as running:
        yield running


@pytest.fixture
def whatsapp(simulators: Simulators, session: aiohttp.ClientSession) -> GraphClient:
    return GraphClient(session, f"{simulators.url}/whatsapp/v23.0", "whatsapp-development-token")


async def test_throughput_of_a_number(whatsapp: GraphClient, clock: _Clock) -> None:
    """More than the number's messages a second are refused with 130429 and the time to wait; then there is room
    again, no more than was promised."""
    assert [(await whatsapp.send_text("x")).status for _ in range(10)] == [200] * 10
    refused = await whatsapp.send_text("x", to=BRUNO)
    assert (refused.status, refused.error) == (429, (130429, None))
    assert refused.headers["Retry-After"] == "1"
    usage = json.loads(refused.headers["X-Business-Use-Case-Usage"])
    assert usage["200000000000001"][0]["estimated_time_to_regain_access"] == 1
    clock.seconds += 0.25
    assert [(await whatsapp.send_text("x", to=BRUNO)).status for _ in range(3)] == [200, 200, 429]


async def test_pair_limit(whatsapp: GraphClient, clock: _Clock) -> None:
    """After a burst of 45 to one user every sixth second has room for one more, and other users don't notice."""
    for _ in range(45):
        clock.seconds += 0.1
        assert (await whatsapp.send_text("x")).status == 200
    refused = await whatsapp.send_text("x")
    assert (refused.status, refused.error) == (400, (131056, None))
    assert (await whatsapp.send_text("x", to=BRUNO)).status == 200
    clock.seconds += 6
    assert [(await whatsapp.send_text("x")).status for _ in range(2)] == [200, 400]


async def test_refusals_use_nothing_up(whatsapp: GraphClient, simulators: Simulators, clock: _Clock) -> None:
    """A message that one limit refuses takes nothing from the other."""
    for _ in range(10):
        await whatsapp.send_text("x")
    for _ in range(100):
        assert (await whatsapp.send_text("x", to=BRUNO)).error == (130429, None)
    clock.seconds += 10
    assert (await whatsapp.send_text("x", to=BRUNO)).status == 200
    assert len(simulators.accepted.read(recipient=ANA)) == 10


async def test_window_closes_by_itself(whatsapp: GraphClient, clock: _Clock) -> None:
    """24 hours after the customer wrote, the window is closed."""
    clock.seconds += 86_399
    assert (await whatsapp.send_text("x")).status == 200
    clock.seconds += 1
    assert (await whatsapp.send_text("x")).error == (131047, None)

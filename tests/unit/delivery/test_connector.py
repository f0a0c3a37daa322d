"""Connectors in virtual time: order, limits, retries, waiting."""

from connector_world import ConnectorWorld, now
from virtual_time import run_in_virtual_time


async def _first() -> None:
    world = ConnectorWorld()
    for number in range(20):
        await world.request(f"+{number % 3}")
    await world.run_to_the_end()
    assert len(world.account.accepted) == 20
    print(now(), [(t.to, t.text) for t in world.account.accepted])
    print(world.evidence()[:2])


def test_first() -> None:
    """It works."""
    run_in_virtual_time(_first())

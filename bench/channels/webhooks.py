"""How many webhooks of a channel are durable, each proven by its signature."""

import asyncio
import time
import uuid

from tools.simulators.whatsapp.events import contact_of, message_value, webhook_format

from bench.accepted import IN_FLIGHT
from bench.channels.world import World
from bench.load import closed_loop

_PEOPLE = 200
_PATH = "/v1/channels/whatsapp/webhook"
_LOOK_SECONDS = 0.2


async def webhooks(world: World, seconds: float) -> None:
    """Print how quickly the answers came, each for one message of one of some people, and how quickly they became
    messages."""
    account = world.settings.whatsapp.accounts[0]
    form, run = webhook_format(account), uuid.uuid4().hex[:8]
    url = f"http://127.0.0.1:{world.target.envoy_port}{_PATH}"

    async def call(number: int) -> None:
        person = f"55118{number % _PEOPLE:08}"
        message = {
            "from": person,
            "id": f"wamid.{run}.{number}",
            "timestamp": str(int(time.time())),
            "type": "text",
            "text": {"body": "x" * 200},
        }
        body = form.encode([message_value(account, contact_of(person, f"BR.{person}", person), message)])
        async with world.session.post(url, data=body, headers=form.headers(body)) as answer:
            answer.raise_for_status()
            await answer.read()

    handled, cpu, start = await _handled(world), world.target.cpu_seconds(), time.perf_counter()
    measured = await closed_loop(call, seconds=seconds, in_flight=IN_FLIGHT)
    while await _handled(world) - handled < measured.count:  # noqa: ASYNC110 - it is known in other processes
        await asyncio.sleep(_LOOK_SECONDS)
    took, after = time.perf_counter() - start, world.target.cpu_seconds()
    print(f"\n{'webhooks, signed, through Envoy':<34}{'per second':>11}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}")
    percentiles = "".join(f"{measured.percentile(p):>9.1f}" for p in (50, 95, 99))
    print(f"{'durable and answered':<34}{measured.rate:>11.0f}{percentiles}")
    costs = ", ".join(f"{name} {(after[name] - cpu[name]) / measured.count * 1_000:.2f}" for name in after)
    print(f"{'and messages in conversations':<34}{measured.count / took:>11.0f}   CPU seconds per 1,000: {costs}")


async def _handled(world: World) -> float:
    return await world.metrics.value("chat4all_channel_events_total", channel="whatsapp", kind="message")

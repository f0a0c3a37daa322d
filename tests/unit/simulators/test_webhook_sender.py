"""How events reach the webhook: at least once, and as a test wants them."""

import asyncio
from typing import Any

import pytest
from channel_clients import ANA, BRUNO, NUMBER
from tools.simulators import Channel, CustomerMessage, Fault, FaultKind, Schedule, Settings, Simulators
from tools.simulators.webhooks.policy import WebhookPolicy
from webhook_receiver import ReceivedWebhook, WebhookReceiver


async def _register(simulators: Simulators, receiver: WebhookReceiver) -> None:
    await simulators.service(Channel.WHATSAPP).register_webhook(NUMBER, receiver.url, None)


async def _write(simulators: Simulators, *texts: str, customer: str = ANA) -> None:
    for text in texts:
        await simulators.customers(Channel.WHATSAPP).send(NUMBER, customer, CustomerMessage(text))


def _texts(requests: list[ReceivedWebhook]) -> list[str]:
    changes = [change for request in requests for change in request.payload["entry"][0]["changes"]]
    return [change["value"]["messages"][0]["text"]["body"] for change in changes]


async def test_refused_request_comes_again(simulators: Simulators, receiver: WebhookReceiver) -> None:
    """Whatever is not answered with 200, redirects too, is sent again with the same bytes and signature."""
    receiver.answers.extend([500, 204, 302, 404])
    await _register(simulators, receiver)
    await _write(simulators, "one")
    requests = await receiver.until_count(5)
    assert len({request.body for request in requests}) == 1
    assert len({request.headers["X-Hub-Signature-256"] for request in requests}) == 1
    (delivery,) = simulators.deliveries.read()
    assert [attempt.status for attempt in delivery.attempts[:4]] == [500, 204, 302, 404]


async def test_webhook_that_is_away_gets_everything_later(simulators: Simulators) -> None:
    """Events of the time when nobody listened arrive once somebody does."""
    async with WebhookReceiver() as receiver:
        await _register(simulators, receiver)
        receiver.answers.extend([503] * 12)
        await _write(simulators, *(f"t{number}" for number in range(6)))
        await receiver.until(lambda requests: len(requests) >= 18)
        assert set(_texts(receiver.requests)) == {f"t{number}" for number in range(6)}


async def test_without_webhook_events_are_lost(simulators: Simulators, receiver: WebhookReceiver) -> None:
    """What happens before a webhook is registered is told to nobody."""
    await _write(simulators, "before")
    await _register(simulators, receiver)
    await _write(simulators, "after")
    assert _texts(await receiver.until_count(1)) == ["after"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (FaultKind.LOST_WEBHOOK, ["two", "three"]),
        (FaultKind.DUPLICATED_WEBHOOK, ["one", "one", "two", "three"]),
    ],
)
async def test_lost_and_doubled(
    simulators: Simulators, receiver: WebhookReceiver, kind: FaultKind, expected: list[str]
) -> None:
    """An event is lost, or comes twice."""
    simulators.faults.add(Fault(Channel.WHATSAPP, kind, schedule=Schedule(next=1)))
    await _register(simulators, receiver)
    await _write(simulators, "one", "two", "three")
    requests = await receiver.until_count(len(expected))
    assert sorted(_texts(requests)) == sorted(expected)
    assert simulators.deliveries.lost == (1 if kind is FaultKind.LOST_WEBHOOK else 0)


async def test_reordered(simulators: Simulators, receiver: WebhookReceiver) -> None:
    """An event comes only after a later one was taken."""
    fault = Fault(Channel.WHATSAPP, FaultKind.REORDERED_WEBHOOK, recipient=ANA, schedule=Schedule(next=1))
    simulators.faults.add(fault)
    await _register(simulators, receiver)
    await _write(simulators, "one")
    await _write(simulators, "two", customer=BRUNO)
    assert _texts(await receiver.until_count(2)) == ["two", "one"]


async def test_reordered_event_doesnt_wait_for_ever(receiver: WebhookReceiver) -> None:
    """An event that nothing overtakes comes when its time is over."""
    async with Simulators(Settings(webhooks=WebhookPolicy(reorder_seconds=0.01, timeout_seconds=60))) as simulators:
        simulators.faults.add(Fault(Channel.WHATSAPP, FaultKind.REORDERED_WEBHOOK))
        await _register(simulators, receiver)
        await _write(simulators, "one")
        assert _texts(await receiver.until_count(1)) == ["one"]


async def test_batches(receiver: WebhookReceiver) -> None:
    """Events that wait go together, as many as the policy says, in one signed request."""
    policy = WebhookPolicy(batch_size=50, connections=1, timeout_seconds=60)
    async with Simulators(Settings(webhooks=policy)) as simulators:
        await _register(simulators, receiver)
        await _write(simulators, *(f"t{number}" for number in range(120)))
        requests = await receiver.until(lambda requests: len(_texts(requests)) == 120)
    assert sorted(_texts(requests)) == sorted(f"t{number}" for number in range(120))
    sizes = [len(request.payload["entry"][0]["changes"]) for request in requests]
    assert max(sizes) == 50


async def test_gives_up_in_the_end(receiver: WebhookReceiver) -> None:
    """After the time that the policy says an event is lost, and counted."""
    policy = WebhookPolicy(give_up_seconds=0, retry_initial_seconds=0.01)
    async with Simulators(Settings(webhooks=policy)) as simulators:
        receiver.answers.extend([500] * 100)
        await _register(simulators, receiver)
        await _write(simulators, "one")
        async with asyncio.timeout(60):
            while simulators.deliveries.lost == 0:
                await asyncio.sleep(0.01)


def test_waits_grow_up_to_the_longest() -> None:
    """Waits double up to the longest one."""
    policy = WebhookPolicy(retry_initial_seconds=1, retry_max_seconds=10)
    assert [policy.wait_after(tries) for tries in (1, 2, 3, 4, 5, 1_000)] == [1, 2, 4, 8, 10, 10]


@pytest.mark.parametrize("values", [{"batch_size": 0}, {"connections": 0}, {"queue_size": 0}])
def test_policies_that_make_no_sense(values: dict[str, Any]) -> None:
    """A policy that could send nothing is refused."""
    with pytest.raises(ValueError, match="1 or more"):
        WebhookPolicy(**values)

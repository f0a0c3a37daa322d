"""Messages to many people over three channels, while channels fail in many ways and the platform is killed; where it
is distributed, in turn all of it and one connector.

`make test-channels` has 20,000 messages, `make test-channels-distributed` too; the short form here has a hundred.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

import psutil
import pytest
from channel_customers import Customer, broken_promises, meet
from channels_platform import ChannelsPlatform, open_channels_platform
from fault_run.subscriber import until_answered
from platform_process import MakePlatform
from tools.simulators import Channel, Fault, FaultKind, Schedule, Settings
from tools.simulators.faults import UNKNOWN_FAULTS, FaultRule
from tools.simulators.instagram.settings import InstagramAccountSettings, InstagramSettings
from tools.simulators.telegram.settings import TelegramBotSettings, TelegramSettings
from tools.simulators.webhooks.policy import WebhookPolicy
from tools.simulators.whatsapp.settings import WhatsAppAccountSettings, WhatsAppSettings

from chat4all_sdk import AsyncClient
from chat4all_sdk.models import Message, MessageState

PEOPLE_PER_CHANNEL = 10
_PASSWORD = "correct horse"

# The limits are the platform's own to keep; the simulators' are the real ones or above them.
SETTINGS = Settings(
    whatsapp=WhatsAppSettings(
        accounts=(WhatsAppAccountSettings(open_to_strangers=True),), delivered_seconds=0.05, sent_seconds=0.01
    ),
    instagram=InstagramSettings(accounts=(InstagramAccountSettings(open_to_strangers=True),)),
    telegram=TelegramSettings(bots=(TelegramBotSettings(open_to_strangers=True),)),
    webhooks=WebhookPolicy(batch_size=20, retry_initial_seconds=0.1, retry_max_seconds=1.0, reorder_seconds=0.5),
)

CUTS = {FaultKind.ACCEPT_THEN_DROP: 19, FaultKind.DROP_BEFORE_ACCEPT: 23}
"""Faults after which nobody knows whether the channel has a message; each strikes every so many calls."""
REFUSALS = {FaultKind.UNDELIVERABLE: 101, FaultKind.DELIVERED_AFTER_FAILED: 103}
"""Those after which a message is FAILED, or was."""
OTHERS = {
    FaultKind.RATE_LIMIT: 17,
    FaultKind.PAIR_LIMIT: 37,
    FaultKind.APP_LIMIT: 41,
    FaultKind.SERVER_ERROR: 13,
    FaultKind.SLOW: 29,
    FaultKind.TOKEN_EXPIRED: 4_001,
    FaultKind.REORDERED_WEBHOOK: 7,
    FaultKind.DUPLICATED_WEBHOOK: 11,
    FaultKind.LOST_WEBHOOK: 53,
}
"""Those of which nothing is left in the end, but for the state that a lost webhook would have told. A token that has
expired stops its account for five minutes, so that only the long form has any."""


@pytest.mark.timeout(900)  # a minute where the machine is idle; `make test-channels` gives the long form more
async def test_channels_hear_each_message_once(
    make_platform: MakePlatform, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """The channels' own logs have every message once and in each person's order, but for those that end as UNKNOWN or
    FAILED, which are no more than the cuts that nobody can decide, and the messages that were refused."""
    count, kills = pytestconfig.getoption("channel_messages"), pytestconfig.getoption("kills")
    per_channel = max(PEOPLE_PER_CHANNEL, count // 150)
    async with open_channels_platform(make_platform, tmp_path, SETTINGS) as platform:
        cuts, refusals, _ = (_break(platform, faults) for faults in (CUTS, REFUSALS, OTHERS))
        async with AsyncClient(platform.process.target) as client:
            await client.login("ann", "correct horse")
            people = [each for channel in Channel for each in await meet(client, channel, per_channel)]
            sending = asyncio.create_task(_send(client, people, count))
            under_way = await _kill_meanwhile(platform, count, kills)
            await sending
            messages = await _settled(platform, client, people)
    wrong = _violations(platform, people, messages)
    states = Counter(message.state for of_one in messages.values() for message in of_one)
    cut, refused = (sum(rule.struck for rule in rules) for rules in (cuts, refusals))
    unknown, failed = states[MessageState.UNKNOWN], states[MessageState.FAILED]
    print(
        f"\n{count} messages, {kills} kills, {cut} cut answers, {refused} refusals: {unknown} UNKNOWN, "
        f"{failed} FAILED, {len(wrong)} promises broken"
    )
    assert wrong == []
    assert unknown <= cut + under_way
    assert failed <= refused


def _break(platform: ChannelsPlatform, faults: Mapping[FaultKind, int]) -> Sequence[FaultRule]:
    """Put them in force on every channel that has them."""
    return [
        platform.simulators.faults.add(Fault(channel, kind, schedule=Schedule(every=every), seconds=0.5))
        for channel in Channel
        for kind, every in faults.items()
        if kind not in UNKNOWN_FAULTS[channel]
    ]


async def _send(client: AsyncClient, people: Sequence[Customer], count: int) -> None:
    """Number after number, to one person after the other; those to one person wait for each other."""

    async def to(person: Customer, numbers: Sequence[int]) -> None:
        for number in numbers:
            request_id = f"00000000-0000-4000-8000-{number:012}"
            await until_answered(partial(client.send, person.conversation_id, str(number), request_id=request_id))

    await asyncio.gather(*(to(person, range(n, count, len(people))) for n, person in enumerate(people)))


async def _kill_meanwhile(platform: ChannelsPlatform, count: int, kills: int) -> int:
    """How many calls may have been under way at the kills."""
    rng = random.Random(7)
    for kill in range(1, kills + 1):
        async with asyncio.timeout(900):
            while len(platform.simulators.accepted.read()) < kill * count // (kills + 2):
                await asyncio.sleep(0.05)
        await asyncio.sleep(rng.uniform(0, 0.5))
        connectors = _connectors(platform)
        if connectors and kill % 2:
            rng.choice(connectors).kill()
        else:
            await asyncio.to_thread(platform.process.kill)
            await asyncio.to_thread(platform.process.start)
    return kills * 3 * 50


def _connectors(platform: ChannelsPlatform) -> Sequence[psutil.Process]:
    """Those that are processes of their own, which the platform starts again."""
    children = psutil.Process(platform.process.pid).children()
    return [child for child in children if {"chat4all_workers", "connector"} <= set(child.cmdline())]


async def _settled(
    platform: ChannelsPlatform, client: AsyncClient, people: Sequence[Customer]
) -> dict[str, Sequence[Message]]:
    """The messages to each person, once the channels have said all that they will."""

    async def listed(person: Customer) -> Sequence[Message]:
        return [message async for message in client.messages(person.conversation_id)]

    found: dict[str, Sequence[Message]] = {}
    untold, unreported = dict.fromkeys((person.address for person in people), 1), Counter[str]()
    async with asyncio.timeout(180 + 5 * len(people)):
        while sum(untold.values()) or unreported.total() > platform.simulators.deliveries.lost:
            for person in people:
                if not untold[person.address] and not unreported[person.address]:
                    continue
                found[person.address] = await until_answered(partial(listed, person))
                told = {m.text for m in platform.simulators.accepted.read(recipient=person.name)}
                untold[person.address] = sum(not _is_told(message, told) for message in found[person.address])
                unreported[person.address] = sum(_awaits_report(person, m, told) for m in found[person.address])
            await asyncio.sleep(0.5)
    return found


def _is_told(message: Message, told: Collection[str]) -> bool:
    """Or need not be told any more."""
    return message.text in told or message.state in (MessageState.UNKNOWN, MessageState.FAILED)


def _awaits_report(person: Customer, message: Message, told: Collection[str]) -> bool:
    """Whether WhatsApp has the message, and is still to say that it was delivered, as the other two never do."""
    ended = message.state in (MessageState.DELIVERED, MessageState.FAILED)
    return person.channel is Channel.WHATSAPP and message.text in told and not ended


def _violations(
    platform: ChannelsPlatform, people: Sequence[Customer], messages: dict[str, Sequence[Message]]
) -> Sequence[str]:
    accepted = platform.simulators.accepted.read()
    wrong = list(broken_promises(accepted))
    for person in people:
        told = {int(each.text) for each in accepted if (each.channel, each.recipient) == (person.channel, person.name)}
        states = {int(message.text): message.state for message in messages[person.address]}
        wrong += [
            f"{person.address}: {n} is {state.name} and was never told"
            for n, state in states.items()
            if n not in told and state not in (MessageState.UNKNOWN, MessageState.FAILED)
        ]
    return wrong

"""When faults strike, and what they do to each service."""

import random
from typing import Any

import aiohttp
import pytest
from channel_clients import ANA, BRUNO, INSTAGRAM_ANA, NUMBER, TELEGRAM_ANA, BotClient, GraphClient
from tools.simulators import Channel, Fault, FaultKind, Schedule, Settings, Simulators
from tools.simulators.faults import Faults
from tools.simulators.whatsapp.settings import WhatsAppSettings


def _strikes(schedule: Schedule, requests: int) -> list[bool]:
    faults = Faults(random.Random(7))
    faults.add(Fault(Channel.WHATSAPP, FaultKind.SERVER_ERROR, schedule=schedule))
    return [faults.strike_request(Channel.WHATSAPP, NUMBER, ANA)[1] is not None for _ in range(requests)]


def test_schedules() -> None:
    """A fault strikes always, the next N times, each Nth time, or by chance."""
    assert _strikes(Schedule(), 4) == [True] * 4
    assert _strikes(Schedule(next=2), 4) == [True, True, False, False]
    assert _strikes(Schedule(every=3), 7) == [False, False, True, False, False, True, False]
    assert 20 < sum(_strikes(Schedule(chance=0.1), 400)) < 60


@pytest.mark.parametrize("schedule", [{"next": 0}, {"every": 0}, {"chance": 2.0}, {"next": 1, "every": 1}])
def test_schedules_that_make_no_sense(schedule: dict[str, Any]) -> None:
    """A schedule has one value, which is possible."""
    with pytest.raises(ValueError, match=r"next|chance"):
        Schedule(**schedule)


def test_services_have_their_own_faults() -> None:
    """A fault that a service doesn't have can't be put in force."""
    with pytest.raises(ValueError, match="telegram has no window_closed"):
        Fault(Channel.TELEGRAM, FaultKind.WINDOW_CLOSED)
    with pytest.raises(ValueError, match="instagram has no pair_limit"):
        Fault(Channel.INSTAGRAM, FaultKind.PAIR_LIMIT)
    with pytest.raises(ValueError, match="needs a code"):
        Fault(Channel.WHATSAPP, FaultKind.ERROR)


def test_first_fault_counts_and_slowness_adds_up() -> None:
    """Delays of several rules are added; of the others only the first that strikes is counted."""
    faults = Faults(random.Random(7))
    rules = [
        faults.add(Fault(Channel.WHATSAPP, kind, seconds=seconds))
        for kind, seconds in [
            (FaultKind.SLOW, 1.0),
            (FaultKind.SLOW, 2.0),
            (FaultKind.RATE_LIMIT, 1.0),
            (FaultKind.SERVER_ERROR, 1.0),
        ]
    ]
    delay, fault = faults.strike_request(Channel.WHATSAPP, NUMBER, ANA)
    assert delay == 3.0
    assert fault is rules[2].fault
    assert [rule.struck for rule in rules] == [1, 1, 1, 0]


def test_faults_are_narrowed_down() -> None:
    """A fault of one account, or one recipient, leaves the others alone."""
    faults = Faults(random.Random(7))
    faults.add(Fault(Channel.WHATSAPP, FaultKind.SERVER_ERROR, account="other"))
    faults.add(Fault(Channel.WHATSAPP, FaultKind.SERVER_ERROR, recipient=BRUNO))
    assert faults.strike_request(Channel.WHATSAPP, NUMBER, ANA) == (0.0, None)
    assert faults.strike_request(Channel.INSTAGRAM, NUMBER, BRUNO) == (0.0, None)
    assert faults.strike_request(Channel.WHATSAPP, NUMBER, BRUNO)[1] is not None
    assert faults.strike_webhook(Channel.WHATSAPP, NUMBER, BRUNO) is None


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [
        (FaultKind.RATE_LIMIT, 429, (130429, None)),
        (FaultKind.PAIR_LIMIT, 400, (131056, None)),
        (FaultKind.APP_LIMIT, 429, (4, None)),
        (FaultKind.SERVER_ERROR, 500, (1, None)),
        (FaultKind.TOKEN_EXPIRED, 401, (190, 463)),
        (FaultKind.WINDOW_CLOSED, 400, (131047, None)),
    ],
)
async def test_whatsapp(
    whatsapp: GraphClient, simulators: Simulators, kind: FaultKind, status: int, error: tuple[int, int | None]
) -> None:
    """WhatsApp answers with its own errors, and the message isn't accepted."""
    simulators.faults.add(Fault(Channel.WHATSAPP, kind, seconds=90, schedule=Schedule(next=1)))
    answer = await whatsapp.send_text("x")
    assert (answer.status, answer.error) == (status, error)
    assert answer.headers.get("Retry-After") == ("90" if status == 429 else None)
    assert simulators.accepted.read() == []
    assert (await whatsapp.send_text("x")).status == 200


@pytest.mark.parametrize(
    ("kind", "status", "error"),
    [
        (FaultKind.RATE_LIMIT, 400, (613, None)),
        (FaultKind.APP_LIMIT, 429, (4, None)),
        (FaultKind.SERVER_ERROR, 500, (2, None)),
        (FaultKind.TOKEN_EXPIRED, 401, (190, 463)),
        (FaultKind.WINDOW_CLOSED, 403, (10, 2534022)),
        (FaultKind.UNDELIVERABLE, 400, (551, 1545041)),
    ],
)
async def test_instagram(
    instagram: GraphClient, simulators: Simulators, kind: FaultKind, status: int, error: tuple[int, int | None]
) -> None:
    """Instagram answers with its own errors, and the message isn't accepted."""
    simulators.faults.add(Fault(Channel.INSTAGRAM, kind, schedule=Schedule(next=1)))
    answer = await instagram.send_direct({"text": "x"})
    assert (answer.status, answer.error) == (status, error)
    assert simulators.accepted.read() == []
    assert (await instagram.send_direct({"text": "x"})).status == 200


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (FaultKind.RATE_LIMIT, 429),
        (FaultKind.SERVER_ERROR, 500),
        (FaultKind.TOKEN_EXPIRED, 401),
        (FaultKind.UNDELIVERABLE, 403),
    ],
)
async def test_telegram(telegram: BotClient, simulators: Simulators, kind: FaultKind, status: int) -> None:
    """Telegram answers with its own errors, and the message isn't accepted."""
    simulators.faults.add(Fault(Channel.TELEGRAM, kind, seconds=9, schedule=Schedule(next=1)))
    answer = await telegram.send_text("x")
    assert (answer.status, answer.json["error_code"]) == (status, status)
    assert answer.json.get("parameters") == ({"retry_after": 9} if status == 429 else None)
    assert simulators.accepted.read() == []
    assert (await telegram.send_text("x")).status == 200


async def test_error_of_ones_choice(
    whatsapp: GraphClient, instagram: GraphClient, telegram: BotClient, simulators: Simulators
) -> None:
    """Any code that a service knows can be answered."""
    for channel in Channel:
        simulators.faults.add(Fault(channel, FaultKind.ERROR, code=418, status=403, message="no"))
    answer = await whatsapp.send_text("x")
    assert (answer.status, answer.json["error"]["message"]) == (403, "(#418) no")
    assert (await instagram.send_direct({"text": "x"})).error == (418, None)
    assert (await telegram.send_text("x")).json == {"ok": False, "error_code": 418, "description": "no"}


@pytest.mark.parametrize("kind", [FaultKind.ACCEPT_THEN_DROP, FaultKind.DROP_BEFORE_ACCEPT])
async def test_dropped_connections(
    whatsapp: GraphClient, instagram: GraphClient, telegram: BotClient, simulators: Simulators, kind: FaultKind
) -> None:
    """The connection breaks without an answer; only the log knows whether the message was accepted."""
    for channel in Channel:
        simulators.faults.add(Fault(channel, kind))
    for call in (whatsapp.send_text("x"), instagram.send_direct({"text": "x"}), telegram.send_text("x")):
        with pytest.raises(aiohttp.ClientError):
            await call
    accepted = [(each.recipient, each.answered) for each in simulators.accepted.read()]
    expected = [(ANA, False), (INSTAGRAM_ANA, False), (TELEGRAM_ANA, False)]
    assert accepted == (expected if kind is FaultKind.ACCEPT_THEN_DROP else [])


async def test_slow_messages_are_accepted(whatsapp: GraphClient, simulators: Simulators) -> None:
    """A slow answer comes all the same."""
    simulators.faults.add(Fault(Channel.WHATSAPP, FaultKind.SLOW, seconds=0.01))
    assert (await whatsapp.send_text("x")).status == 200
    assert simulators.faults.rules()[0].struck == 1


async def test_log_tells_every_message_once(session: aiohttp.ClientSession) -> None:
    """Through a mixture of faults, whoever repeats what was refused and not what broke off after acceptance finds
    each message once in the log, in order, and as many broken answers as the fault struck."""
    settings = Settings(whatsapp=WhatsAppSettings(messages_per_second=10_000, burst=10_000, pair_burst=1_000))
    async with Simulators(settings, chance=random.Random(11)) as simulators:
        client = GraphClient(session, f"{simulators.url}/whatsapp/v23.0", "whatsapp-development-token")
        cut = simulators.faults.add(Fault(Channel.WHATSAPP, FaultKind.ACCEPT_THEN_DROP, schedule=Schedule(chance=0.1)))
        for kind in (FaultKind.SERVER_ERROR, FaultKind.RATE_LIMIT, FaultKind.PAIR_LIMIT):
            simulators.faults.add(Fault(Channel.WHATSAPP, kind, schedule=Schedule(chance=0.1)))
        for number in range(200):
            await _send_until_accepted_or_cut(client, f"m{number}")
        accepted = simulators.accepted.read(recipient=ANA)
        assert [message.opaque for message in accepted] == [f"m{number}" for number in range(200)]
        assert sum(not message.answered for message in accepted) == cut.struck > 0


async def _send_until_accepted_or_cut(client: GraphClient, opaque: str) -> None:
    try:
        while (await client.send_text("x", biz_opaque_callback_data=opaque)).status != 200:
            pass
    except aiohttp.ClientError:
        pass  # accepted, and only the log knows

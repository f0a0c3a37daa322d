"""People on simulated channels whom somebody on the platform writes to, and what they heard."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tools.simulators import Channel
from tools.simulators.accepted_log import AcceptedMessage

from chat4all_sdk import AsyncClient

_ADDRESS = {
    Channel.WHATSAPP: "whatsapp:+55119{:08}",
    Channel.INSTAGRAM: "instagram:61{:08}",
    Channel.TELEGRAM: "telegram:7{:08}",
}


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody on a channel."""

    channel: Channel
    address: str
    conversation_id: str

    @property
    def name(self) -> str:
        """As the simulator calls them."""
        return self.address.partition(":")[2].removeprefix("+")


async def meet(client: AsyncClient, channel: Channel, count: int, first: int = 0) -> Sequence[Customer]:
    """So many people and their conversations; `first` numbers them, and the same number is the same person."""
    addresses = [_ADDRESS[channel].format(first + n) for n in range(count)]
    return [Customer(channel, each, (await client.create_direct(each)).conversation_id) for each in addresses]


def broken_promises(accepted: Iterable[AcceptedMessage]) -> Sequence[str]:
    """What was told twice or out of order; texts are numbers, ascending in each conversation."""
    heard: dict[tuple[Channel, str], list[int]] = defaultdict(list)
    for message in accepted:
        heard[message.channel, message.recipient].append(int(message.text))
    wrong = []
    for (channel, name), told in heard.items():
        wrong += [f"{channel} {name}: not in order: {told}"] if told != sorted(told) else []
        wrong += [f"{channel} {name}: {n} told {told.count(n)} times" for n in set(told) if told.count(n) > 1]
    return wrong

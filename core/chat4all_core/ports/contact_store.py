"""What is known of the people on a channel who have written to us, or to whom we have written."""

from dataclasses import dataclass
from typing import Protocol

from chat4all_core.domain.channel import AccountId, ChannelAddress
from chat4all_core.domain.ids import ConversationId
from chat4all_core.domain.timestamp import Timestamp


@dataclass(frozen=True, slots=True)
class Contact:
    """A person on a channel."""

    address: ChannelAddress
    account: AccountId | None = None
    """The account of ours that the person wrote to last: answers come from it. None before the first message."""
    conversation_id: ConversationId | None = None
    """Where what the person writes belongs: the conversation in which they were last written to, or the one that was
    made for them."""
    display_name: str = ""
    """As the channel gives it, for people; empty where it gives none."""
    last_received_at: Timestamp | None = None
    """When the person wrote last, by the channel's clock: a window for answers is counted from here."""


class ContactStore(Protocol):
    """One row a person."""

    async def get(self, address: ChannelAddress) -> Contact | None:
        """What is known, or None.

        Raises:
            UnavailableError.
        """
        ...

    async def received(self, address: ChannelAddress, account: AccountId, name: str, at: Timestamp) -> None:
        """The person wrote to this account. An older time than the stored one changes nothing; an empty name leaves
        the stored one.

        Raises:
            UnavailableError.
        """
        ...

    async def set_conversation(self, address: ChannelAddress, conversation_id: ConversationId) -> None:
        """What the person writes belongs there from now on. A connector says so before it tells the channel a
        message of another conversation than the stored one: its deliveries to one person come one after the other, so
        the conversation in which they were last written to stays, and an answer finds it however quick it is. A
        delivery with sequence 0 belongs to no conversation.

        Raises:
            UnavailableError.
        """
        ...

"""Use case: prove that an address on a channel is one's own."""

import hashlib
import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass

from chat4all_core.app.request_deliveries import RequestDeliveries
from chat4all_core.domain.channel import Capabilities, ChannelAddress, ChannelName
from chat4all_core.domain.delivery import Delivery, DeliveryId
from chat4all_core.domain.errors import AlreadyExistsError, PermissionDeniedError, Reason, invalid_field
from chat4all_core.domain.ids import ConversationId, MessageId, UserId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.identity_store import Identity, IdentityStore
from chat4all_core.ports.link_code_store import LinkCode, LinkCodeStore
from chat4all_core.ports.rate_limiter import RateLimit, RateLimiter

CODE_DIGITS = 6
_LIFETIME = 600 * SECOND
_TRIES = 5
"""Of a code, so that guessing one succeeds once in 200,000 times."""

_CODES_TO_ADDRESS = RateLimit(1 / 300, 3)
_CODES_OF_USER = RateLimit(1 / 120, 5)
"""Codes go to people who perhaps never asked for them, and channels charge for them."""


@dataclass(frozen=True, slots=True)
class CodeSent:
    """A code is on its way to the address."""

    address: ChannelAddress
    expires_at: Timestamp


class LinkIdentity:
    """Sends codes to addresses, and links an address to the user who knows its code."""

    def __init__(
        self,
        *,
        identities: IdentityStore,
        codes: LinkCodeStore,
        channels: Collection[Capabilities],
        request_deliveries: RequestDeliveries,
        limiter: RateLimiter,
        clock: Clock,
        new_id: Callable[[], str],
        new_code: Callable[[], str],
        key: bytes,
    ) -> None:
        """`new_code` makes CODE_DIGITS digits that nobody can foresee; `key`, which all servers share, hides them in
        the store."""
        self._identities = identities
        self._codes = codes
        self._channels = channels
        self._request_deliveries = request_deliveries
        self._limiter = limiter
        self._clock = clock
        self._new_id = new_id
        self._new_code = new_code
        self._key = key

    async def __call__(self, caller: UserId, channel: str, address: str, code: str) -> Identity | CodeSent:
        """With a code, link the address; without, send one there, unless it is linked to the caller already.

        Raises:
            InvalidArgumentError: there is no such channel, or the address or the code is not in its form.
            AlreadyExistsError: IDENTITY_TAKEN.
            PermissionDeniedError: LINK_CODE_INVALID.
            ResourceExhaustedError: RATE_LIMITED.
            UnavailableError.
        """
        to = self._address(channel, address)
        if code and not (len(code) == CODE_DIGITS and code.isascii() and code.isdigit()):
            raise invalid_field("code", f"must be {CODE_DIGITS} digits")
        owner = await self._identities.owner(to)
        if owner is not None and owner != caller:
            raise _taken(to)
        if code:
            return await self._link(caller, to, code)
        if owner is not None:
            return await self._identities.link(Identity(caller, to, self._clock()))
        return await self._send_code(caller, to)

    async def _link(self, caller: UserId, to: ChannelAddress, code: str) -> Identity:
        expected = await self._codes.take_try(caller, to, self._clock())
        if expected is None or not hmac.compare_digest(expected, self._hash(caller, to, code)):
            raise PermissionDeniedError(
                Reason.LINK_CODE_INVALID,
                "the code is wrong, has expired or was tried too often; ask for another one without a code",
            )
        identity = await self._identities.link(Identity(caller, to, self._clock()))
        if identity.user_id != caller:
            raise _taken(to)
        await self._codes.forget(caller, to)
        return identity

    async def _send_code(self, caller: UserId, to: ChannelAddress) -> CodeSent:
        await self._limiter.take(f"link-user:{caller}", _CODES_OF_USER)
        await self._limiter.take(f"link-address:{to.participant}", _CODES_TO_ADDRESS)
        now, code = self._clock(), self._new_code()
        expires_at = Timestamp(now + _LIFETIME)
        await self._codes.put(LinkCode(caller, to, self._hash(caller, to, code), expires_at), _TRIES)
        await self._request_deliveries([self._delivery(caller, to, code, now)])
        return CodeSent(to, expires_at)

    def _delivery(self, caller: UserId, to: ChannelAddress, code: str, now: Timestamp) -> Delivery:
        text = f"{code} is your code to link this address to an account. It works for ten minutes."
        return Delivery(
            delivery_id=DeliveryId(self._new_id()),
            conversation_id=ConversationId(""),
            message_id=MessageId(""),
            sequence=0,
            sender=caller,
            recipient=to.participant,
            to=to,
            text=f"{text} If you did not ask for it, tell nobody.",
            accepted_at=now,
        )

    def _address(self, channel: str, address: str) -> ChannelAddress:
        capabilities = next((c for c in self._channels if c.channel == channel), None)
        if capabilities is None:
            known = ", ".join(c.channel for c in self._channels) or "none is configured"
            raise invalid_field("channel", f"must be a configured channel: {known}")
        if not capabilities.allows(address):
            example = capabilities.address_example.partition(":")[2]
            raise invalid_field("address", f"must be an address of {channel}, such as {example}")
        return ChannelAddress(ChannelName(channel), address)

    def _hash(self, user: UserId, to: ChannelAddress, code: str) -> bytes:
        return hmac.digest(self._key, f"link {user} {to.participant} {code}".encode(), hashlib.sha256)


def _taken(to: ChannelAddress) -> AlreadyExistsError:
    return AlreadyExistsError(
        Reason.IDENTITY_TAKEN, "another user has linked this address", {"channel": to.channel, "address": to.address}
    )

"""What those who operate the platform may do, and nobody else."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from engine_under_test import DEADLINE
from grpc_platform import PASSWORD, GrpcPlatform, Person
from log_reader import reading
from rpc_shapes import reason_of

from chat4all.admin.v1 import admin_service_pb2 as pb
from chat4all.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from chat4all.identity.v1 import identity_service_pb2 as identity_pb
from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.domain.channel import ChannelAddress, ChannelName
from chat4all_core.domain.dead_letter import DeadLetter, DeadLetterEvent, DeadLetterId
from chat4all_core.domain.delivery import Delivery, DeliveryId
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.event_log import STATUS_UPDATED, delivery_requested

Metadata = tuple[tuple[str, str], ...]
BEA = ChannelAddress(ChannelName("whatsapp"), "+5511987654321")
TOPIC = delivery_requested(BEA.channel)
DELIVERY = Delivery(
    DeliveryId("d1"),
    ConversationId("c1"),
    MessageId("m1"),
    1,
    ParticipantId("ann"),
    BEA.participant,
    BEA,
    "hello",
    Timestamp(1),
)


@pytest.fixture
def admin(grpc_platform: GrpcPlatform) -> AdminServiceStub:
    return AdminServiceStub(grpc_platform.channel)


@pytest.fixture
async def operator(grpc_platform: GrpcPlatform) -> Metadata:
    """What proves that an admin calls."""
    ann = await grpc_platform.person("ann")
    await grpc_platform.engine.users.set_admin(ann.username, True)
    return bearer((await log_in(grpc_platform, ann)).access_token)


async def log_in(platform: GrpcPlatform, person: Person) -> identity_pb.IssueTokenResponse:
    return await platform.identity.IssueToken(
        identity_pb.IssueTokenRequest(username=person.username, password=PASSWORD)
    )


def bearer(token: str) -> Metadata:
    return (("authorization", f"Bearer {token}"),)


def letter(rejected_at: int, topic: str = TOPIC, value: bytes | None = None) -> DeadLetter:
    """A delivery that was given up at a time."""
    return DeadLetter(
        dead_letter_id=DeadLetterId(str(uuid.uuid4())),
        topic=topic,
        key=BEA.address,
        value=ProtobufEventCodec().encode_delivery(DELIVERY) if value is None else value,
        code="131026",
        reason="undeliverable",
        rejected_at=Timestamp(rejected_at),
        remedy="ask for another number",
        history=(DeadLetterEvent(Timestamp(1), "tried once"),),
    )


async def refusal(call: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await call
    return reason_of(refused.value)


CALLS: list[Callable[[AdminServiceStub, Metadata], Any]] = [
    lambda stub, who: stub.ListDeadLetters(pb.ListDeadLettersRequest(), metadata=who),
    lambda stub, who: stub.RedriveDeadLetter(pb.RedriveDeadLetterRequest(dead_letter_id="x"), metadata=who),
    lambda stub, who: stub.GetSystemStatus(pb.GetSystemStatusRequest(), metadata=who),
]


@pytest.mark.parametrize("call", CALLS)
async def test_only_admins_operate(grpc_platform: GrpcPlatform, admin: AdminServiceStub, call: Any) -> None:
    """Every call of anybody else is refused."""
    ben = await grpc_platform.person("ben")
    assert await refusal(call(admin, ben.metadata)) == "ADMIN_ONLY"
    assert await refusal(call(admin, ())) == "TOKEN_MISSING"


async def test_the_next_token_shows_who_is_an_admin(grpc_platform: GrpcPlatform, admin: AdminServiceStub) -> None:
    """Refreshing is enough to become one, and to be none any more."""
    ann = await grpc_platform.person("ann")
    request, tokens = pb.GetSystemStatusRequest(), await log_in(grpc_platform, ann)
    refresh_token = tokens.refresh_token
    assert await refusal(admin.GetSystemStatus(request, metadata=bearer(tokens.access_token))) == "ADMIN_ONLY"
    for is_admin in (True, False):
        await grpc_platform.engine.users.set_admin(ann.username, is_admin)
        refreshed = await grpc_platform.identity.RefreshToken(
            identity_pb.RefreshTokenRequest(refresh_token=refresh_token)
        )
        refresh_token = refreshed.refresh_token
        call = admin.GetSystemStatus(request, metadata=bearer(refreshed.access_token))
        if is_admin:
            await call
        else:
            assert await refusal(call) == "ADMIN_ONLY"


async def test_the_status_names_every_part(admin: AdminServiceStub, operator: Metadata) -> None:
    """A platform that works is ready, with its parts, its channels and since when."""
    status = await admin.GetSystemStatus(pb.GetSystemStatusRequest(), metadata=operator)
    assert (status.ready, {part.name: part.ready for part in status.parts}) == (
        True,
        {"event_log": True, "stores": True, "streams": True},
    )
    assert list(status.channels) == ["instagram", "telegram", "whatsapp"]
    assert status.start_time.seconds > 0


async def test_dead_letters_are_listed_page_by_page(
    grpc_platform: GrpcPlatform, admin: AdminServiceStub, operator: Metadata
) -> None:
    """Newest first, each once, also where several were given up at one moment; a page token that was changed is
    refused."""
    letters = [letter(rejected_at) for rejected_at in (1_000_000, 3_000_000, 3_000_000, 3_000_000, 2_000_000)]
    await grpc_platform.engine.dead_letters.put(letters)
    found: list[pb.DeadLetter] = []
    request = pb.ListDeadLettersRequest(page_size=2)
    while True:
        page = await admin.ListDeadLetters(request, metadata=operator)
        found += page.dead_letters
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert [x.reject_time.seconds for x in found] == [3, 3, 3, 2, 1]
    assert {x.dead_letter_id for x in found} == {x.dead_letter_id for x in letters}
    shown = found[0]
    assert (shown.topic, shown.key, shown.code, shown.reason, shown.remedy, [e.what for e in shown.history]) == (
        TOPIC,
        BEA.address,
        "131026",
        "undeliverable",
        "ask for another number",
        ["tried once"],
    )
    assert not shown.HasField("redrive_time")
    changed = pb.ListDeadLettersRequest(page_token=request.page_token[:-2] + "AA")
    assert await refusal(admin.ListDeadLetters(changed, metadata=operator)) == "PAGE_TOKEN_INVALID"


async def test_a_redriven_delivery_is_the_next_attempt(
    grpc_platform: GrpcPlatform, admin: AdminServiceStub, operator: Metadata
) -> None:
    """It goes to its topic under the same id and key, as attempt 2 however often that is asked for, and says when."""
    dead = letter(1_000_000)
    await grpc_platform.engine.dead_letters.put([dead])
    request = pb.RedriveDeadLetterRequest(dead_letter_id=dead.dead_letter_id)
    async with reading(grpc_platform.engine.log, TOPIC, "test") as reader:
        for _ in range(2):
            redriven = (await admin.RedriveDeadLetter(request, metadata=operator)).dead_letter
            assert redriven.HasField("redrive_time")
        records = await reader.read(2)
    deliveries = [ProtobufEventCodec().decode_delivery(record.value) for record in records]
    assert [(d.delivery_id, d.attempt, d.text) for d in deliveries] == [("d1", 2, "hello")] * 2
    assert {record.key for record in records} == {BEA.address}
    listed = await admin.ListDeadLetters(pb.ListDeadLettersRequest(), metadata=operator)
    assert listed.dead_letters[0].HasField("redrive_time")


async def test_other_records_are_redriven_as_they_were(
    grpc_platform: GrpcPlatform, admin: AdminServiceStub, operator: Metadata
) -> None:
    """What is no delivery goes to its topic byte for byte; a delivery that can't be read is not touched."""
    status, broken = letter(1, STATUS_UPDATED, b"\xff"), letter(2, value=b"\xff")
    await grpc_platform.engine.dead_letters.put([status, broken])
    async with (
        asyncio.timeout(DEADLINE),
        reading(grpc_platform.engine.log, STATUS_UPDATED, "test") as reader,
    ):
        request = pb.RedriveDeadLetterRequest(dead_letter_id=status.dead_letter_id)
        await admin.RedriveDeadLetter(request, metadata=operator)
        while not any(record.value == b"\xff" for record in await reader.poll()):
            pass
    request = pb.RedriveDeadLetterRequest(dead_letter_id=broken.dead_letter_id)
    assert await refusal(admin.RedriveDeadLetter(request, metadata=operator)) == "DEAD_LETTER_UNREADABLE"
    request = pb.RedriveDeadLetterRequest(dead_letter_id=str(uuid.uuid4()))
    assert await refusal(admin.RedriveDeadLetter(request, metadata=operator)) == "DEAD_LETTER_NOT_FOUND"

"""Accounts and sessions."""

from typing import Any

import grpc
import pytest
from grpc_platform import PASSWORD, GrpcPlatform, Person
from rpc_shapes import reason_of

from chat4all.identity.v1 import identity_service_pb2 as pb


async def issue(platform: GrpcPlatform, username: str, password: str = PASSWORD) -> pb.IssueTokenResponse:
    return await platform.identity.IssueToken(pb.IssueTokenRequest(username=username, password=password))


async def refresh(platform: GrpcPlatform, token: str) -> pb.RefreshTokenResponse:
    return await platform.identity.RefreshToken(pb.RefreshTokenRequest(refresh_token=token))


async def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call
    return failed.value.code(), reason_of(failed.value)


async def test_register(grpc_platform: GrpcPlatform) -> None:
    """A new account comes back as it was asked for, with an id and the time."""
    request = pb.RegisterUserRequest(username="Ann_1", password=PASSWORD, email="ann@example.org")
    user = (await grpc_platform.identity.RegisterUser(request)).user
    assert (user.username, user.email) == ("Ann_1", "ann@example.org")
    assert user.user_id
    assert user.create_time.seconds > 0


@pytest.mark.parametrize(
    ("username", "password", "email"),
    [
        ("ab", PASSWORD, ""),
        ("a" * 51, PASSWORD, ""),
        ("änn", PASSWORD, ""),
        ("ann b", PASSWORD, ""),
        ("ann\n", PASSWORD, ""),
        ("", PASSWORD, ""),
        ("ann", "1234567", ""),
        ("ann", "x" * 1_025, ""),
        ("ann", PASSWORD, "not an address"),
    ],
)
async def test_bad_registration(grpc_platform: GrpcPlatform, username: str, password: str, email: str) -> None:
    """Names, passwords and addresses that are not allowed are refused."""
    request = pb.RegisterUserRequest(username=username, password=password, email=email)
    call = grpc_platform.identity.RegisterUser(request)
    assert await refusal(call) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")


async def test_username_is_unique_without_case(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A name can be registered once, in whatever case."""
    request = pb.RegisterUserRequest(username=ann.username.upper(), password=PASSWORD)
    call = grpc_platform.identity.RegisterUser(request)
    assert await refusal(call) == (grpc.StatusCode.ALREADY_EXISTS, "USERNAME_TAKEN")


async def test_log_in(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A password gives a Bearer token that works, and for how long."""
    tokens = await issue(grpc_platform, ann.username.upper())
    assert (tokens.token_type, tokens.expires_in) == ("Bearer", 3_600)
    answer = await grpc_platform.identity.GetCurrentUser(
        pb.GetCurrentUserRequest(), metadata=(("authorization", f"Bearer {tokens.access_token}"),)
    )
    assert answer.user.user_id == ann.user_id


async def test_wrong_credentials(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A wrong password and a wrong name are refused alike."""
    for username, password in ((ann.username, "wrong password"), ("nobody", PASSWORD), ("", "")):
        call = issue(grpc_platform, username, password)
        assert await refusal(call) == (grpc.StatusCode.UNAUTHENTICATED, "CREDENTIALS_INVALID")


async def test_refresh_token_works_once(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A refresh token that is used again revokes its successors, for one of its two holders stole it."""
    first = (await issue(grpc_platform, ann.username)).refresh_token
    second = (await refresh(grpc_platform, first)).refresh_token
    for token in (first, second):
        call = refresh(grpc_platform, token)
        assert await refusal(call) == (grpc.StatusCode.UNAUTHENTICATED, "REFRESH_TOKEN_INVALID")


async def test_revoked_session(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """After logging out the refresh token is worth nothing; logging out twice is no error."""
    token = (await issue(grpc_platform, ann.username)).refresh_token
    for _ in range(2):
        await grpc_platform.identity.RevokeToken(pb.RevokeTokenRequest(refresh_token=token))
    assert (await refusal(refresh(grpc_platform, token)))[1] == "REFRESH_TOKEN_INVALID"


async def test_people_are_found(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """People are found by id and by name, without case."""
    by_id = pb.GetUserRequest(user_id=ann.user_id)
    by_name = pb.FindUserRequest(username=ann.username.upper())
    assert (await grpc_platform.identity.GetUser(by_id, metadata=ann.metadata)).user.username == ann.username
    assert (await grpc_platform.identity.FindUser(by_name, metadata=ann.metadata)).user.user_id == ann.user_id


@pytest.mark.parametrize("name", ["nobody", "x" * 100_000, "a\0b", "' OR 1=1 --"])
async def test_nobody_is_found(grpc_platform: GrpcPlatform, ann: Person, name: str) -> None:
    """Who does not exist is not found, whatever is asked for."""
    for call in (
        grpc_platform.identity.GetUser(pb.GetUserRequest(user_id=name), metadata=ann.metadata),
        grpc_platform.identity.FindUser(pb.FindUserRequest(username=name), metadata=ann.metadata),
    ):
        assert await refusal(call) == (grpc.StatusCode.NOT_FOUND, "USER_NOT_FOUND")


async def test_email_is_private(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """An e-mail address is shown to its owner only."""
    request = pb.RegisterUserRequest(username="with_email", password=PASSWORD, email="x@example.org")
    user = (await grpc_platform.identity.RegisterUser(request)).user
    owner = (("authorization", f"Bearer {(await issue(grpc_platform, 'with_email')).access_token}"),)
    for metadata, email in ((owner, "x@example.org"), (ann.metadata, "")):
        by_id = await grpc_platform.identity.GetUser(pb.GetUserRequest(user_id=user.user_id), metadata=metadata)
        by_name = await grpc_platform.identity.FindUser(pb.FindUserRequest(username="with_email"), metadata=metadata)
        assert (by_id.user.email, by_name.user.email) == (email, email)

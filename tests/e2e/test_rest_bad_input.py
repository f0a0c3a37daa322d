"""Bad input over REST: each refusal has its status, its reason and, where a field is wrong, the field."""

import base64
import io
import json
from dataclasses import dataclass
from uuid import uuid4

import aiohttp
import jwt
import pytest
from rest_user import RestUser, fields, reason


@dataclass
class Scene:
    """Ann and Ben talk; Eve is a stranger."""

    ann: RestUser
    ben: RestUser
    eve: RestUser
    conversation: str


@pytest.fixture
async def scene(session: aiohttp.ClientSession) -> Scene:
    """Three people, one conversation."""
    ann, ben, eve = [await RestUser.join(session) for _ in range(3)]
    return Scene(ann, ben, eve, await ann.direct(ben))


async def test_without_a_token_nothing_is_told(session: aiohttp.ClientSession) -> None:
    """No token is 401 TOKEN_MISSING."""
    async with session.get("/v1/users/me") as answer:
        assert (answer.status, reason(await answer.json())) == (401, "TOKEN_MISSING")


def changed(token: str, header: dict[str, str] | None = None, **claims: object) -> str:
    """A token with other claims or header and the old signature."""
    parts = token.split(".")
    body = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    head = header or json.loads(base64.urlsafe_b64decode(parts[0] + "=="))
    encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in (head, body | claims)]
    return ".".join([*encoded, parts[2]])


async def test_forged_tokens_are_refused(scene: Scene) -> None:
    """Changed claims, another algorithm, none at all, or a public key used as an HMAC secret: 401 TOKEN_INVALID."""
    _, jwks = await scene.ann.call("GET", "/.well-known/jwks.json")
    key = jwks["keys"][0]
    mine = jwt.decode(scene.ann.token, options={"verify_signature": False})
    forged = [
        changed(scene.ann.token, sub=scene.eve.user_id),
        changed(scene.ann.token, header={"alg": "none", "typ": "JWT"}),
        jwt.encode(mine, base64.urlsafe_b64decode(key["x"] + "=="), algorithm="HS256", headers={"kid": key["kid"]}),
        "not.a.token",
        "x",
    ]
    for token in forged:
        status, body = await scene.ann.call("GET", "/v1/users/me", token=token)
        assert (status, reason(body)) == (401, "TOKEN_INVALID"), token


async def test_strangers_are_refused_everywhere(scene: Scene) -> None:
    """Someone who does not take part can neither read, write, mark nor subscribe: 403 NOT_A_PARTICIPANT."""
    message_id = await scene.ann.send(scene.conversation, "secret")
    eve = scene.eve
    answers = [
        await eve.get(f"/v1/conversations/{scene.conversation}"),
        await eve.get(f"/v1/conversations/{scene.conversation}/messages"),
        await eve.post("/v1/messages", conversation_id=scene.conversation, text="hi"),
        await eve.get(f"/v1/messages/{message_id}"),
        await eve.post(f"/v1/messages/{message_id}/read"),
        await eve.post(f"/v1/messages/{message_id}/delivered"),
        await eve.post(f"/v1/conversations/{scene.conversation}/participants", participants=[eve.user_id]),
        await eve.post("/v1/events/acknowledge", positions=[{"conversation_id": scene.conversation, "sequence": "1"}]),
        await eve.get("/v1/events", conversation_id=scene.conversation),
    ]
    assert [(status, reason(body)) for status, body in answers] == [(403, "NOT_A_PARTICIPANT")] * len(answers)


async def test_what_does_not_exist_is_not_found(scene: Scene) -> None:
    """Unknown conversations, messages and people are 404, each with its own reason."""
    nothing = str(uuid4())
    answers = [
        (await scene.ann.get(f"/v1/conversations/{nothing}"), "CONVERSATION_NOT_FOUND"),
        (await scene.ann.post("/v1/messages", conversation_id=nothing, text="x"), "CONVERSATION_NOT_FOUND"),
        (await scene.ann.get(f"/v1/messages/{nothing}"), "MESSAGE_NOT_FOUND"),
        (await scene.ann.get(f"/v1/users/{nothing}"), "USER_NOT_FOUND"),
        (await scene.ann.get("/v1/users", username="nobody_at_all"), "USER_NOT_FOUND"),
        (await scene.ann.post("/v1/conversations", type="DIRECT", participants=[nothing]), "USER_NOT_FOUND"),
    ]
    assert [(status, reason(body)) for (status, body), _ in answers] == [(404, expected) for _, expected in answers]


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        pytest.param("", False, id="empty"),
        pytest.param("x" * 10_240, True, id="just fits"),
        pytest.param("x" * 10_241, False, id="a byte too long"),
        pytest.param("é" * 5_120, True, id="multi-byte, just fits"),
        pytest.param("x" + "é" * 5_120, False, id="multi-byte over the boundary"),
        pytest.param("a\0b", False, id="NUL"),
    ],
)
async def test_text_has_limits_in_bytes(scene: Scene, text: str, accepted: bool) -> None:
    """1 to 10,240 bytes of UTF-8 without NUL; anything else is 400 and names the field."""
    status, body = await scene.ann.post("/v1/messages", conversation_id=scene.conversation, text=text)
    if accepted:
        assert status == 200
    else:
        assert (status, reason(body), fields(body)) == (400, "FIELD_INVALID", ["text"])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"conversation_id": "c", "text": "\\ud800"}', id="lone surrogate"),
        pytest.param(b'{"conversation_id": "c", "text": "\xff\xfe"}', id="not UTF-8"),
        pytest.param(b'{"conversation_id": "c", "text": 7', id="cut in the middle"),
        pytest.param(b"[1, 2]", id="not an object"),
        pytest.param(b'{"conversation_id": {"a": 1}, "text": "x"}', id="object for text"),
        pytest.param(b'{"conversation_id": ["c"], "text": "x"}', id="list for text"),
    ],
)
async def test_bodies_that_are_no_request_are_refused(scene: Scene, body: bytes) -> None:
    """Broken JSON, broken text and wrong types are a 400 that says so, never a 500."""
    status, answer = await scene.ann.post_text("/v1/messages", body)
    assert status == 400
    assert reason(answer) in {"MALFORMED_REQUEST", "FIELD_INVALID"}
    assert answer["message"]


async def test_unknown_query_parameters_are_refused(scene: Scene) -> None:
    """A mistyped parameter is a 400, not silence."""
    status, body = await scene.ann.get(f"/v1/conversations/{scene.conversation}/messages", pagesize="3")
    assert status == 400
    assert "pagesize" in body["message"]


async def test_wrong_numbers_are_refused(scene: Scene) -> None:
    """A page size that is no number or negative is a 400."""
    path = f"/v1/conversations/{scene.conversation}/messages"
    for size in ("many", "-1", "99999999999"):
        status, _ = await scene.ann.get(path, page_size=size)
        assert status == 400, size


async def test_page_tokens_are_for_one_list(scene: Scene) -> None:
    """A token that was changed, is of another conversation, or somebody else's, is 400 PAGE_TOKEN_INVALID."""
    other = await scene.ann.direct(scene.eve)
    for conversation in (scene.conversation, other):
        for _ in range(3):
            last = await scene.ann.send(conversation, "x")
        await scene.ann.get(f"/v1/messages/{last}")
    path = "/v1/conversations/{}/messages"
    _, body = await scene.ann.get(path.format(scene.conversation), page_size="1")
    token = body["next_page_token"]
    flipped = token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]
    for who, conversation, wrong in [
        (scene.ann, other, token),
        (scene.ben, scene.conversation, token),
        (scene.ann, scene.conversation, flipped),
        (scene.ann, scene.conversation, "nonsense"),
    ]:
        status, body = await who.get(path.format(conversation), page_size="1", page_token=wrong)
        assert (status, reason(body)) == (400, "PAGE_TOKEN_INVALID"), wrong


async def test_cursors_must_be_ours(scene: Scene) -> None:
    """A made-up cursor is 400 CURSOR_INVALID, in a subscription and in an acknowledgement."""
    for status, body in (
        await scene.ann.get("/v1/events", cursor="nonsense"),
        await scene.ann.post("/v1/events/acknowledge", cursor="nonsense"),
    ):
        assert (status, reason(body)) == (400, "CURSOR_INVALID")


async def test_senders_cannot_mark_their_own_messages(scene: Scene) -> None:
    """Only a recipient may: 403 NOT_A_RECIPIENT."""
    message_id = await scene.ann.send(scene.conversation, "x")
    status, body = await scene.ann.post(f"/v1/messages/{message_id}/read")
    assert (status, reason(body)) == (403, "NOT_A_RECIPIENT")


async def test_request_ids_are_uuids(scene: Scene) -> None:
    """Anything else is refused and named."""
    status, body = await scene.ann.post(
        "/v1/messages", conversation_id=scene.conversation, text="x", request_id="order-7"
    )
    assert (status, reason(body), fields(body)) == (400, "FIELD_INVALID", ["request_id"])


async def test_registration_names_every_wrong_field(session: aiohttp.ClientSession) -> None:
    """One answer lists all that is wrong."""
    body = {"username": "a b", "password": "short", "email": "nowhere"}
    async with session.post("/v1/users", json=body) as answer:
        assert answer.status == 400
        assert fields(await answer.json()) == ["username", "password", "email"]


async def test_usernames_are_unique_without_case(scene: Scene) -> None:
    """The same name in other letters is 409 USERNAME_TAKEN."""
    status, body = await scene.ann.post("/v1/users", username=scene.ben.username.upper(), password="correct horse")
    assert (status, reason(body)) == (409, "USERNAME_TAKEN")


async def test_huge_bodies_and_unknown_paths_are_refused_in_json(scene: Scene) -> None:
    """Envoy's own refusals look like all others."""
    huge = io.BytesIO(json.dumps({"conversation_id": scene.conversation, "text": "x" * 5_000_000}).encode())
    status, body = await scene.ann.call("POST", "/v1/messages", data=huge)
    assert (status, body["code"]) == (413, 3)
    status, body = await scene.ann.get("/v1/nothing/here")
    assert (status, reason(body)) == (404, "METHOD_NOT_FOUND")

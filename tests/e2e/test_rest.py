"""The main job over REST, through the real Envoy."""

import asyncio
import json
from typing import Any

import aiohttp
from rest_user import PASSWORD, RestUser, reason


class Events:
    """Somebody's GET /v1/events."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def next(self, kind: str) -> dict[str, Any]:
        """The next event of a kind; other frames are passed over."""
        async with asyncio.timeout(20):
            while True:
                frame = json.loads(await self._answer.content.readline())
                if kind in frame:
                    return dict(frame)
                if kind in frame.get("event", {}):
                    return dict(frame["event"][kind]) | {"cursor": frame["cursor"]}


async def test_a_message_goes_from_sent_to_read_before_its_senders_eyes(session: aiohttp.ClientSession) -> None:
    """The sender's subscription shows SENT, DELIVERED and READ in order, and GetMessage has the history."""
    ann, ben = await RestUser.join(session), await RestUser.join(session)
    conversation = await ann.direct(ben)
    async with (
        session.get("/v1/events", headers={"authorization": f"Bearer {ann.token}"}) as of_ann,
        session.get("/v1/events", headers={"authorization": f"Bearer {ben.token}"}) as of_ben,
    ):
        ann_sees, ben_sees = Events(of_ann), Events(of_ben)
        await ann_sees.next("caught_up")
        await ben_sees.next("caught_up")
        message_id = await ann.send(conversation, "hello")

        own = await ann_sees.next("message_created")
        assert own["message"]["message_id"] == message_id
        assert own["message"]["state"] == "SENT"
        got = await ben_sees.next("message_created")
        assert (got["message"]["text"], got["message"]["sequence"]) == ("hello", "1")

        status, body = await ben.post("/v1/events/acknowledge", cursor=got["cursor"])
        assert (status, body) == (200, {})
        changed = await ann_sees.next("status_changed")
        assert (changed["state"], changed["participant"]) == ("DELIVERED", ben.user_id)
        assert changed["message_id"] == message_id

        assert await ben.post(f"/v1/messages/{message_id}/read") == (200, {})
        assert (await ann_sees.next("status_changed"))["state"] == "READ"

    status, body = await ann.get(f"/v1/messages/{message_id}")
    message = body["message"]
    assert message["state"] == "READ"
    assert message["recipients"] == [{"participant": ben.user_id, "state": "READ", "channel": ""}]
    assert [(c["participant"], c["state"]) for c in message["history"]] == [
        (ann.user_id, "SENT"),
        (ben.user_id, "DELIVERED"),
        (ben.user_id, "READ"),
    ]


async def test_a_subscription_resumes_from_its_cursor(session: aiohttp.ClientSession) -> None:
    """What was sent while nobody listened comes first, in order, then the present."""
    ann, ben = await RestUser.join(session), await RestUser.join(session)
    conversation = await ann.direct(ben)
    headers = {"authorization": f"Bearer {ben.token}"}
    async with session.get("/v1/events", headers=headers) as answer:
        cursor = str((await Events(answer).next("caught_up"))["cursor"])
    for number in range(3):
        await ann.send(conversation, f"missed {number}")
    async with session.get("/v1/events", headers=headers, params={"cursor": cursor}) as answer:
        events = Events(answer)
        texts = [(await events.next("message_created"))["message"]["text"] for _ in range(3)]
        assert texts == ["missed 0", "missed 1", "missed 2"]
        await ann.send(conversation, "live")
        assert (await events.next("message_created"))["message"]["text"] == "live"


async def test_a_group_shows_only_its_own_events_when_asked(session: aiohttp.ClientSession) -> None:
    """A subscription to one conversation passes over the others."""
    ann, ben = await RestUser.join(session), await RestUser.join(session)
    direct = await ann.direct(ben)
    _, body = await ann.post("/v1/conversations", type="GROUP", title="Lunch", participants=[ben.user_id])
    group = body["conversation"]["conversation_id"]
    headers = {"authorization": f"Bearer {ben.token}"}
    async with session.get("/v1/events", headers=headers, params={"conversation_id": group}) as answer:
        events = Events(answer)
        await events.next("caught_up")
        await ann.send(direct, "elsewhere")
        await ann.send(group, "here")
        assert (await events.next("message_created"))["message"]["text"] == "here"


async def test_conversations_are_listed_by_activity_with_unread_counts(session: aiohttp.ClientSession) -> None:
    """Newest activity first; reading clears the count; one's own messages are not unread."""
    ann, ben, cleo = [await RestUser.join(session) for _ in range(3)]
    with_ben, with_cleo = await ann.direct(ben), await ann.direct(cleo)
    await ann.send(with_ben, "one")
    message_id = await ann.send(with_ben, "two")
    await ann.get(f"/v1/messages/{message_id}")  # waits until it is stored

    _, body = await ann.get("/v1/conversations")
    assert [c["conversation_id"] for c in body["conversations"]] == [with_ben, with_cleo]
    assert body["conversations"][0]["unread_count"] == "0"
    _, body = await ben.get("/v1/conversations")
    assert body["conversations"][0]["unread_count"] == "2"
    assert body["conversations"][0]["last_message"]["text"] == "two"
    await ben.post(f"/v1/messages/{message_id}/read")
    _, body = await ben.get("/v1/conversations")
    assert body["conversations"][0]["unread_count"] == "0"


async def test_conversations_are_paged(session: aiohttp.ClientSession) -> None:
    """Pages cover every conversation once."""
    ann = await RestUser.join(session)
    made = []
    for number in range(5):
        _, body = await ann.post("/v1/conversations", type="GROUP", title=f"g{number}", participants=[])
        made.append(body["conversation"]["conversation_id"])
    seen, token = [], ""
    while True:
        _, body = await ann.get("/v1/conversations", page_size="2", page_token=token)
        seen += [c["conversation_id"] for c in body["conversations"]]
        token = body["next_page_token"]
        if not token:
            break
    assert seen == made[::-1]


async def test_messages_are_listed_both_ways_and_paged(session: aiohttp.ClientSession) -> None:
    """Newest first by default, oldest first after a sequence; pages cover every message once."""
    ann, ben = await RestUser.join(session), await RestUser.join(session)
    conversation = await ann.direct(ben)
    last = ""
    for number in range(7):
        last = await ann.send(conversation, f"{number}")
    await ann.get(f"/v1/messages/{last}")
    path = f"/v1/conversations/{conversation}/messages"

    seen, token = [], ""
    while True:
        _, body = await ann.get(path, page_size="3", page_token=token)
        seen += [int(m["sequence"]) for m in body["messages"]]
        token = body["next_page_token"]
        if not token:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    _, body = await ann.get(path, after_sequence="2", before_sequence="6")
    assert [m["sequence"] for m in body["messages"]] == ["3", "4", "5"]


async def test_people_join_and_leave_a_group(session: aiohttp.ClientSession) -> None:
    """Those added get what follows; those removed get nothing more and may read nothing."""
    ann, ben, cleo = [await RestUser.join(session) for _ in range(3)]
    _, body = await ann.post("/v1/conversations", type="GROUP", title="g", participants=[ben.user_id])
    group = body["conversation"]["conversation_id"]
    status, body = await ann.post(f"/v1/conversations/{group}/participants", participants=[cleo.user_id])
    assert status == 200
    assert {p["participant"] for p in body["conversation"]["participants"]} == {ann.user_id, ben.user_id, cleo.user_id}
    assert await ann.call("DELETE", f"/v1/conversations/{group}/participants/{ben.user_id}") == (200, {})
    message_id = await ann.send(group, "without ben")
    _, body = await ann.get(f"/v1/messages/{message_id}")
    assert [r["participant"] for r in body["message"]["recipients"]] == [cleo.user_id]
    status, body = await ben.get(f"/v1/messages/{message_id}")
    assert (status, reason(body)) == (403, "NOT_A_PARTICIPANT")


async def test_tokens_are_refreshed_once(session: aiohttp.ClientSession) -> None:
    """A refresh token works once; used again, it revokes its successor too."""
    ann = await RestUser.join(session)
    _, first = await ann.post("/auth/token", username=ann.username, password=PASSWORD)
    assert (first["token_type"], first["expires_in"]) == ("Bearer", 3600)
    status, second = await ann.post("/v1/auth/refresh", refresh_token=first["refresh_token"])
    assert status == 200
    status, body = await ann.post("/v1/auth/refresh", refresh_token=first["refresh_token"])
    assert (status, reason(body)) == (401, "REFRESH_TOKEN_INVALID")
    status, body = await ann.post("/v1/auth/refresh", refresh_token=second["refresh_token"])
    assert (status, reason(body)) == (401, "REFRESH_TOKEN_INVALID")


async def test_keys_are_published(session: aiohttp.ClientSession) -> None:
    """Anyone can check an access token with the published keys."""
    async with session.get("/.well-known/jwks.json") as answer:
        keys = (await answer.json(content_type=None))["keys"]
    assert [(key["kty"], key["crv"], key["alg"]) for key in keys] == [("OKP", "Ed25519", "EdDSA")]
    assert "d" not in keys[0]


async def test_sends_of_one_request_id_are_one_message(session: aiohttp.ClientSession) -> None:
    """A thousand sends of one request id at once, and late ones after newer messages, are one message with one id; the
    first content wins."""
    ann, ben = await RestUser.join(session), await RestUser.join(session)
    conversation = await ann.direct(ben)
    request_id = "0190163D-8694-739B-AEA5-966C26F8AD91"
    first = await ann.send(conversation, "first", request_id=request_id)
    ids = await asyncio.gather(*(ann.send(conversation, "other", request_id=request_id.lower()) for _ in range(1_000)))
    await ann.send(conversation, "newer")
    late = await ann.send(conversation, "late", request_id=request_id)
    assert {first, late, *ids} == {first}
    last = await ann.send(conversation, "last")
    await ann.get(f"/v1/messages/{last}")
    _, body = await ann.get(f"/v1/conversations/{conversation}/messages")
    assert [(m["sequence"], m["text"]) for m in body["messages"]] == [("3", "last"), ("2", "newer"), ("1", "first")]

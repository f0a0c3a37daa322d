"""Files of the WhatsApp simulator."""

import hashlib
import io

import aiohttp
import pytest
from channel_clients import ANA, NUMBER, Answer, GraphClient
from tools.simulators import Channel, CustomerFile, CustomerMessage, Settings, Simulators
from tools.simulators.whatsapp.settings import WhatsAppSettings

_PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


async def _upload(client: GraphClient, content: bytes, mime_type: str) -> Answer:
    form = aiohttp.FormData()
    form.add_field("messaging_product", "whatsapp")
    form.add_field("type", mime_type)
    form.add_field("file", io.BytesIO(content), filename="a.bin", content_type=mime_type)
    return await client.call("POST", f"/{NUMBER}/media", data=form)


async def test_upload_send_download_delete(whatsapp: GraphClient, simulators: Simulators) -> None:
    """An uploaded file can be sent, looked at, fetched with the token, and deleted; then it is unknown."""
    uploaded = await _upload(whatsapp, _PNG, "image/png")
    media_id = uploaded.json["id"]
    sent = await whatsapp.send({"to": ANA, "type": "image", "image": {"id": media_id, "caption": "c"}})
    assert sent.status == 200
    (logged,) = simulators.accepted.read()
    assert logged.media is not None
    assert (logged.text, logged.media.sha256) == ("c", hashlib.sha256(_PNG).hexdigest())
    described = await whatsapp.call("GET", f"/{media_id}")
    assert (described.json["file_size"], described.json["mime_type"]) == (len(_PNG), "image/png")
    url = described.json["url"]
    async with whatsapp.session.get(url, headers={"Authorization": f"Bearer {whatsapp.token}"}) as response:
        assert await response.read() == _PNG
    async with whatsapp.session.get(url) as response:
        assert response.status == 401
    async with whatsapp.session.get(url + "0", headers={"Authorization": f"Bearer {whatsapp.token}"}) as response:
        assert response.status == 403
    assert (await whatsapp.call("DELETE", f"/{media_id}")).json == {"success": True}
    assert (await whatsapp.call("GET", f"/{media_id}")).error == (100, 33)
    again = await whatsapp.send({"to": ANA, "type": "image", "image": {"id": media_id}})
    assert again.error == (131009, None)


@pytest.mark.parametrize(
    ("size", "mime_type"), [(1, "application/zip"), ((5 << 20) + 1, "image/png"), ((16 << 20) + 1, "video/mp4")]
)
async def test_what_is_not_taken(whatsapp: GraphClient, size: int, mime_type: str) -> None:
    """Types that the service doesn't know, and files above their type's cap, are refused."""
    answer = await _upload(whatsapp, b"0" * size, mime_type)
    assert (answer.status, answer.error) == (400, (100, None))


async def test_link_is_fetched(whatsapp: GraphClient, simulators: Simulators) -> None:
    """A file that is named by its link is fetched, and its hash stands in the log."""
    customers = simulators.customers(Channel.WHATSAPP)
    await customers.send(NUMBER, ANA, CustomerMessage(file=CustomerFile(_PNG, "image/png", "a.png")))
    async with whatsapp.session.get(f"{simulators.url}/control/conversations/whatsapp/{NUMBER}/{ANA}") as response:
        media_id = (await response.json())["entries"][0]["media_id"]
    link = f"{simulators.url}/control/media/{media_id}"
    assert (await whatsapp.send({"to": ANA, "type": "image", "image": {"link": link}})).status == 200
    (logged,) = simulators.accepted.read()
    assert logged.media is not None
    assert logged.media.sha256 == hashlib.sha256(_PNG).hexdigest()


async def test_files_expire() -> None:
    """Uploads live as long as the settings say, and so do the URLs of their bytes."""
    seconds = 1_000_000.0
    settings = Settings(whatsapp=WhatsAppSettings(upload_lifetime_seconds=1_000))
    async with Simulators(settings, now=lambda: seconds) as simulators, aiohttp.ClientSession() as session:
        whatsapp = GraphClient(session, f"{simulators.url}/whatsapp/v23.0", "whatsapp-development-token")
        media_id = (await _upload(whatsapp, _PNG, "image/png")).json["id"]
        url = (await whatsapp.call("GET", f"/{media_id}")).json["url"]
        seconds += 300
        async with session.get(url, headers={"Authorization": f"Bearer {whatsapp.token}"}) as response:
            assert response.status == 404
        assert (await whatsapp.call("GET", f"/{media_id}")).status == 200
        seconds += 700
        assert (await whatsapp.call("GET", f"/{media_id}")).error == (100, 33)


async def test_resumable_upload(whatsapp: GraphClient) -> None:
    """Bytes are taken from the offset that the session is at, and the last ones bring the handle."""
    begun = await whatsapp.call(
        "POST", "/300000000000001/uploads", params={"file_length": "6", "file_type": "image/png", "file_name": "a"}
    )
    upload = begun.json["id"]
    headers = {"Authorization": f"OAuth {whatsapp.token}", "file_offset": "0"}
    part = await whatsapp.call("POST", f"/{upload}", data=b"abc", headers=headers)
    assert part.json == {"id": upload, "file_offset": 3}
    assert (await whatsapp.call("POST", f"/{upload}", data=b"abc", headers=headers)).error == (100, None)
    assert (await whatsapp.call("GET", f"/{upload}", headers=headers)).json["file_offset"] == 3
    done = await whatsapp.call("POST", f"/{upload}", data=b"def", headers=headers | {"file_offset": "3"})
    assert done.json["h"]

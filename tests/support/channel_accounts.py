"""Accounts on channels, as tests configure them, and what channels would call us with."""

import hmac
from hashlib import sha256
from pathlib import Path

NUMBER, APP_SECRET, VERIFY_TOKEN = "106540352242922", "whatsapp-app-secret", "whatsapp-verify"
SECOND_NUMBER, SECOND_APP_SECRET = "206540352242922", "another-app-secret"
INSTAGRAM_ID, INSTAGRAM_SECRET = "17841400008460056", "instagram-app-secret"
BOT_ID, BOT_SECRET = "123456", "telegram-secret"

NOWHERE = "http://127.0.0.1:9"
"""The discard port: nothing answers there."""


def write_accounts(path: Path, base_url: str = NOWHERE) -> Path:
    """A file with an account of each channel, and a second one of WhatsApp, whose API is at a URL."""
    path.write_text(
        f"""
[[whatsapp]]
phone_number_id = "{NUMBER}"
access_token = "whatsapp-token"
app_secret = "{APP_SECRET}"
verify_token = "{VERIFY_TOKEN}"
inbox = ["ann"]
base_url = "{base_url}/whatsapp/v23.0"

[[whatsapp]]
phone_number_id = "{SECOND_NUMBER}"
access_token = "another-token"
app_secret = "{SECOND_APP_SECRET}"
base_url = "{base_url}/whatsapp/v23.0"

[[instagram]]
instagram_id = "{INSTAGRAM_ID}"
access_token = "instagram-token"
app_secret = "{INSTAGRAM_SECRET}"
verify_token = "instagram-verify"
inbox = ["ann"]
base_url = "{base_url}/instagram/v25.0"

[[telegram]]
token = "{BOT_ID}:ABC"
secret_token = "{BOT_SECRET}"
inbox = ["ann"]
base_url = "{base_url}/telegram"
""",
        "utf-8",
    )
    return path


def signed(body: bytes, secret: str) -> dict[str, str]:
    """The headers with which Meta would send a body."""
    signature = hmac.new(secret.encode(), body, sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={signature}", "content-type": "application/json"}

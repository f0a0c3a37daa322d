"""The simulated accounts as the platform is told of them: the file that CHAT4ALL_CHANNELS_ACCOUNTS_FILE names."""

import json
from collections.abc import Mapping, Sequence

from .settings import Settings
from .whatsapp.settings import TemplateSettings

_NOTICE = "# Accounts on simulated channels, written anew at every start. They are secret to nobody.\n"


def platform_accounts(settings: Settings, url: str, inbox: Sequence[str]) -> str:
    """The file's text.

    Args:
        settings: what is simulated.
        url: where.
        inbox: usernames of those who get what strangers write.
    """
    tables = [
        *(
            _table(
                "whatsapp",
                phone_number_id=account.phone_number_id,
                access_token=account.access_token,
                app_secret=account.app_secret,
                verify_token=account.verify_token,
                messages_per_second=settings.whatsapp.messages_per_second,
                base_url=f"{url}/whatsapp/v23.0",
                **_template(account.templates),
                inbox=inbox,
            )
            for account in settings.whatsapp.accounts
        ),
        *(
            _table(
                "instagram",
                instagram_id=account.instagram_id,
                access_token=account.access_token,
                app_secret=account.app_secret,
                verify_token=account.verify_token,
                base_url=f"{url}/instagram/v25.0",
                inbox=inbox,
            )
            for account in settings.instagram.accounts
        ),
        *(
            _table(
                "telegram",
                token=bot.token,
                secret_token=bot.secret_token,
                base_url=f"{url}/telegram",
                inbox=inbox,
            )
            for bot in settings.telegram.bots
        ),
    ]
    return _NOTICE + "\n".join(tables)


def _template(templates: Sequence[TemplateSettings]) -> Mapping[str, str | bool]:
    """The first one with one parameter."""
    for template in templates:
        if "{{1}}" in template.body and "{{2}}" not in template.body:
            # Simulated customers have an open window though the platform never heard from them.
            return {"template": template.name, "template_language": template.language, "template_first": False}
    return {}


def _table(channel: str, **values: object) -> str:
    # Texts, numbers and lists of texts are written alike in JSON and TOML.
    lines = [
        f"{name} = {json.dumps(list(value) if isinstance(value, tuple) else value)}" for name, value in values.items()
    ]
    return "\n".join([f"[[{channel}]]", *lines, ""])

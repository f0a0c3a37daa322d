"""The page on which a person watches the conversations and answers as the customers."""

import html
from importlib import resources

from aiohttp import web
from tools.simulators.faults import FaultKind
from tools.simulators.json_value import JsonObject

from .services import Services

_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'"


def add_page(application: web.Application, services: Services) -> None:
    """Add the page, its script and its style."""
    folder = resources.files(__package__).joinpath("assets")
    template = folder.joinpath("page.html").read_text()
    script = folder.joinpath("page.js").read_text()
    style = folder.joinpath("page.css").read_text()

    async def page(_: web.Request) -> web.Response:
        filled = template.replace("{{accounts}}", _account_rows(services)).replace("{{kinds}}", _kind_options())
        headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
        return web.Response(text=filled, content_type="text/html", headers=headers)

    async def page_script(_: web.Request) -> web.Response:
        return web.Response(text=script, content_type="text/javascript")

    async def page_style(_: web.Request) -> web.Response:
        return web.Response(text=style, content_type="text/css")

    async def to_page(_: web.Request) -> web.Response:
        raise web.HTTPFound("/control/")

    application.router.add_get("", to_page)
    application.router.add_get("/", page)
    application.router.add_get("/page.js", page_script)
    application.router.add_get("/page.css", page_style)


def _account_rows(services: Services) -> str:
    return "\n".join(_row(account) for service in services.all() for account in service.accounts())


def _row(account: JsonObject) -> str:
    channel, account_id, name = (html.escape(str(account[field])) for field in ("channel", "id", "name"))
    token, webhook = html.escape(account["access_token"]), html.escape(account["webhook_url"] or "none")
    known = "".join(
        f'<option value="{html.escape(each["id"])}">{html.escape(each["name"])}</option>'
        for each in account["customers"]
    )
    return (
        f'<tr data-channel="{channel}" data-account="{account_id}"><td>{channel}</td><td>{name}</td>'
        f'<td><code>{account_id}</code></td><td><code class="token">{token}</code></td>'
        f'<td><code class="webhook">{webhook}</code></td>'
        f'<td><input list="customers-{account_id}" aria-label="Customer of {name}" placeholder="id">'
        f'<datalist id="customers-{account_id}">{known}</datalist> <button>Open</button></td></tr>'
    )


def _kind_options() -> str:
    return "".join(f"<option>{kind}</option>" for kind in FaultKind)

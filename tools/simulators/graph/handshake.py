"""The request by which a webhook shows that it expects events."""

import secrets

import aiohttp

from .error import GraphError


async def verify_webhook(session: aiohttp.ClientSession, url: str, verify_token: str) -> None:
    """Ask a webhook for the challenge.

    Raises:
        GraphError: 2200, it gave another answer, or none within 30 s.
    """
    challenge = str(secrets.randbelow(10**10))
    query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": verify_token}
    timeout = aiohttp.ClientTimeout(total=30)
    try:
        async with session.get(url, params=query, timeout=timeout, allow_redirects=False) as response:
            answer = await response.content.read(1_000)
            status = response.status
    except (TimeoutError, aiohttp.ClientError, ValueError) as error:
        raise _failed(f"The URL couldn't be validated: {type(error).__name__}") from None
    if status != 200:
        raise _failed(f"HTTP Status Code = {status}; HTTP Message = {response.reason}")
    if answer.decode("utf-8", "replace").strip() != challenge:
        raise _failed(f"Response does not match challenge, expected value = '{challenge}', received another")


def _failed(why: str) -> GraphError:
    return GraphError(400, 2200, f"(#2200) Callback verification failed with the following errors: {why}")

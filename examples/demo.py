"""A scripted tour of Chat4All (`make demo`): two people, a conversation, messages and their states as they happen.

It starts a platform of its own on free ports with a data folder that is removed afterwards, so it disturbs nothing.
Everything it does, it does through the public SDK.
"""

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar

from rich.console import Console

from chat4all_sdk import (
    AsyncClient,
    CaughtUp,
    Conversation,
    MessageCreated,
    MessageState,
    StatusChanged,
    Subscription,
    User,
)

PATIENCE_SECONDS = 10.0
PASSWORD = "correct horse battery"

E = TypeVar("E")

console = Console(highlight=False)


async def main() -> None:
    """Run the tour."""
    console.rule("[bold]Chat4All")
    async with platform() as target, AsyncClient(target) as ann, AsyncClient(target) as ben:
        step("Two people register and log in")
        ann_user, ben_user = await join(ann, "ann"), await join(ben, "ben")

        step("Ann opens a direct conversation with Ben; both follow what happens")
        direct = await ann.create_direct(ben_user)
        say("ann", f"made conversation {direct.conversation_id}")
        events_of_ann, events_of_ben = ann.subscribe(), ben.subscribe()
        await asyncio.gather(caught_up(events_of_ann), caught_up(events_of_ben))

        step("Ann writes; Ben's client gets it live and acknowledges; Ben reads it")
        sent = await ann.send(direct.conversation_id, "Hello Ben, is this thing fast?")
        say("ann", f"sent {sent.message_id}: [yellow]{sent.state}")
        got = await next_message(events_of_ben, "ben")
        # Asking for what comes next tells the platform that this client has the message.
        waiting = asyncio.ensure_future(next_message(events_of_ben, "ben"))
        await next_state(events_of_ann, MessageState.DELIVERED)
        await ben.mark_read(got)
        await next_state(events_of_ann, MessageState.READ)

        step("Ben answers")
        await ben.send(direct.conversation_id, "Judge by the times on the left.", reply_to=got)
        await waiting  # the stream shows Ben his own message too, as it would on his other devices
        await next_message(events_of_ann, "ann")

        step("A retry of one send is one message")
        request_id = "0190163d-8694-739b-aea5-966c26f8ad91"
        group = await ann.create_group("Lunch", [ben_user])
        ids = {(await ann.send(group.conversation_id, "Pizza?", request_id=request_id)).message_id for _ in range(3)}
        say("ann", f"sent three times, got {len(ids)} message id")

        step("What is stored")
        await show_history(ann, direct, {ann_user.user_id: "ann", ben_user.user_id: "ben"})
        details = await ann.get_message(sent.message_id)
        for change in details.history:
            who = "ann" if change.participant == ann_user.user_id else "ben"
            console.print(f"   {change.time:%H:%M:%S.%f}  {change.state:<10} {who}")
        await asyncio.gather(events_of_ann.aclose(), events_of_ben.aclose())
    console.rule("[bold green]done")


@asynccontextmanager
async def platform() -> AsyncIterator[str]:
    """A platform of its own; gives the address of its public port."""
    with tempfile.TemporaryDirectory(prefix="chat4all-demo-") as data_dir:
        port = free_port()
        env = os.environ | {
            "CHAT4ALL_DATA_DIR": data_dir,
            "CHAT4ALL_ENVOY_PORT": str(port),
            "CHAT4ALL_SERVER_GRPC_PORT": str(free_port()),
            "CHAT4ALL_TELEMETRY_LOG_LEVEL": "WARNING",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "chat4all_standalone", env=env, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            async for line in process.stdout:
                if line.startswith(b"ready "):
                    break
            else:
                raise SystemExit("the platform did not start")
            yield f"127.0.0.1:{port}"
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.communicate()


async def join(client: AsyncClient, username: str) -> User:
    """Register and log in."""
    user = await client.register(username, PASSWORD)
    await client.login(username, PASSWORD)
    say(username, f"is user {user.user_id}")
    return user


async def caught_up(events: Subscription) -> None:
    """Wait until a subscription has reached the present."""
    await find(events, CaughtUp)


async def next_message(events: Subscription, who: str) -> str:
    """Show the next message that somebody gets; returns its id."""
    message = (await find(events, MessageCreated)).message
    say(who, f"got #{message.sequence}: [bold]{message.text}")
    return message.message_id


async def next_state(events: Subscription, state: MessageState) -> None:
    """Show when the sender learns that a message has come to a state."""
    while (await find(events, StatusChanged)).state is not state:
        pass
    say("ann", f"sees it [green]{state}")


async def find(events: Subscription, kind: type[E]) -> E:
    """The next event of a kind."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for event in events:
            if isinstance(event, kind):
                return event
    raise SystemExit("the subscription ended")


async def show_history(client: AsyncClient, conversation: Conversation, names: dict[str, str]) -> None:
    """Show a conversation, oldest first."""
    messages = [message async for message in client.messages(conversation.conversation_id)]
    for message in sorted(messages, key=lambda m: m.sequence):
        console.print(f"   #{message.sequence}  {names[message.sender]:<4} {message.text}  [green]{message.state}")


def step(text: str) -> None:
    """Say what comes."""
    console.print(f"\n[bold cyan]{text}")


def say(who: str, text: str) -> None:
    """Say what happened, and when."""
    console.print(f"   {datetime.now():%H:%M:%S.%f}  [magenta]{who:<4}[/] {text}")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    asyncio.run(main())

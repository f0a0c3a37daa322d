"""The commands about conversations."""

from typing import Annotated

import typer
from rich.text import Text

from chat4all_sdk.cli.command import run
from chat4all_sdk.cli.names import NameBook, find_conversation, find_participants
from chat4all_sdk.cli.output import Output
from chat4all_sdk.cli.terminal_text import printable
from chat4all_sdk.client import AsyncClient
from chat4all_sdk.models import Conversation

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="List, make and change conversations.")

Name = Annotated[str, typer.Argument(metavar="CONVERSATION", help="Its id, @username or CHANNEL:ADDRESS.")]
People = Annotated[
    list[str], typer.Argument(metavar="NAME...", help="Usernames, or addresses such as whatsapp:+5511987654321.")
]


@app.command("list")
def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
) -> None:
    """List your conversations, newest activity first."""

    async def body(client: AsyncClient, output: Output) -> None:
        names = NameBook(client)
        left = limit
        async for conversation in client.conversations(min(limit, 100)):
            output.record(conversation, Text() if output.as_json else await _line(names, conversation))
            left -= 1
            if not left:
                break
        if left == limit:
            output.remark("No conversations yet. Start one with `chat4all send @NAME TEXT`.")

    run(context, body)


@app.command()
def create(
    context: typer.Context,
    people: People,
    title: Annotated[str | None, typer.Option(help="Makes it a group with this title.")] = None,
    group: Annotated[bool, typer.Option("--group", help="Make a group of two as well.")] = False,
) -> None:
    """Make a conversation with others.

    With one person it is the direct one (and there is only one); with several, a title or --group it is
    a new group whose admin you are.
    """

    async def body(client: AsyncClient, output: Output) -> None:
        users = await find_participants(client, people)
        if len(users) == 1 and title is None and not group:
            made = await client.create_direct(users[0])
        else:
            made = await client.create_group(title or "", users)
        output.record(made, made.conversation_id)

    run(context, body)


@app.command()
def show(context: typer.Context, conversation: Name) -> None:
    """Show a conversation and who takes part."""

    async def body(client: AsyncClient, output: Output) -> None:
        await _show(client, output, await client.get_conversation(await find_conversation(client, conversation)))

    run(context, body)


@app.command()
def add(context: typer.Context, conversation: Name, people: People) -> None:
    """Add people to a group of which you are an admin."""

    async def body(client: AsyncClient, output: Output) -> None:
        conversation_id = await find_conversation(client, conversation)
        users = await find_participants(client, people)
        await _show(client, output, await client.add_participants(conversation_id, users))

    run(context, body)


@app.command()
def remove(context: typer.Context, conversation: Name, people: People) -> None:
    """Remove people from a group; everyone may remove themselves."""

    async def body(client: AsyncClient, output: Output) -> None:
        conversation_id = await find_conversation(client, conversation)
        for person in await find_participants(client, people):
            await client.remove_participant(conversation_id, person)
            removed, name = (person, person) if isinstance(person, str) else (person.user_id, person.username)
            record = {"conversation_id": conversation_id, "removed": removed}
            output.record(record, f"{printable(name)} is removed.")

    run(context, body)


async def _show(client: AsyncClient, output: Output, conversation: Conversation) -> None:
    if output.as_json:
        output.record(conversation, "")
        return
    names = NameBook(client)
    people = [f"  {await names.person(p.participant)}  {p.role}" for p in conversation.participants]
    title = f"{conversation.conversation_id}  {conversation.type}  {printable(conversation.title)}".rstrip()
    counts = f"{conversation.last_sequence} messages, {conversation.unread_count} unread"
    output.record(conversation, "\n".join([title, counts, *people]))


async def _line(names: NameBook, conversation: Conversation) -> Text:
    label = await names.conversation(conversation.conversation_id)
    line = Text.assemble(f"{conversation.conversation_id}  {conversation.unread_count:>4} unread  ", (label, "bold"))
    if (last := conversation.last_message) is not None:
        line.append(f"  {await names.person(last.sender)}: {printable(last.text)[:60]}", "dim")
    return line

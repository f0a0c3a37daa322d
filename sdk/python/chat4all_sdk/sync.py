"""The synchronous face of the client: the same calls, for programs without an event loop."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Self

import grpc

from chat4all_sdk.background_loop import BackgroundLoop
from chat4all_sdk.client import AsyncClient
from chat4all_sdk.models import Conversation, Identity, Message, Page, Role, SentMessage, User
from chat4all_sdk.paging import sync_items_of_pages
from chat4all_sdk.session import Session, SessionStore
from chat4all_sdk.sync_admin import SyncAdminCalls
from chat4all_sdk.sync_files import SyncFileCalls
from chat4all_sdk.sync_streams import SyncSendStream, SyncSubscription

__all__ = ["Client", "SyncSendStream", "SyncSubscription"]


class Client(SyncFileCalls, SyncAdminCalls):
    """`AsyncClient` for synchronous programs, to be used with `with`; the contracts are the same.

    Its event loop runs in one background thread from `open` to `close`. Any number of threads may call
    at the same time.
    """

    def __init__(
        self,
        target: str = "localhost:8080",
        *,
        session: Session | None = None,
        store: SessionStore | None = None,
        on_session_change: Callable[[Session | None], None] | None = None,
        tls: bool | grpc.ChannelCredentials | None = None,
        timeout: float = 30.0,
    ) -> None:
        """See AsyncClient; `on_session_change` is called in the background thread."""
        self._client = AsyncClient(
            target,
            session=session,
            store=store,
            on_session_change=on_session_change,
            tls=tls,
            timeout=timeout,
        )
        self._running: BackgroundLoop | None = None

    def open(self) -> Self:
        """Starts the background thread."""
        if self._running is not None:
            raise RuntimeError("the client is open already")
        self._running = BackgroundLoop()
        self._running.run(self._client.open())
        return self

    def close(self) -> None:
        """Ends subscriptions and streams, closes the connection and stops the thread."""
        if self._running is not None:
            running, self._running = self._running, None
            try:
                running.run(self._client.close())
            finally:
                running.close()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _loop(self) -> BackgroundLoop:
        if self._running is None:
            raise RuntimeError("the client is not open; use it with `with`")
        return self._running

    @property
    def session(self) -> Session | None:
        """See AsyncClient.session."""
        return self._client.session

    def register(self, username: str, password: str, email: str | None = None) -> User:
        """See AsyncClient.register."""
        return self._loop.run(self._client.register(username, password, email))

    def login(self, username: str, password: str) -> Session:
        """See AsyncClient.login."""
        return self._loop.run(self._client.login(username, password))

    def logout(self) -> None:
        """See AsyncClient.logout."""
        self._loop.run(self._client.logout())

    def me(self) -> User:
        """See AsyncClient.me."""
        return self._loop.run(self._client.me())

    def get_user(self, user_id: str) -> User:
        """See AsyncClient.get_user."""
        return self._loop.run(self._client.get_user(user_id))

    def find_user(self, username: str) -> User:
        """See AsyncClient.find_user."""
        return self._loop.run(self._client.find_user(username))

    def link_identity(self, channel: str, address: str, code: str | None = None) -> Identity:
        """See AsyncClient.link_identity."""
        return self._loop.run(self._client.link_identity(channel, address, code))

    def list_identities(self) -> tuple[Identity, ...]:
        """See AsyncClient.list_identities."""
        return self._loop.run(self._client.list_identities())

    def unlink_identity(self, channel: str, address: str) -> None:
        """See AsyncClient.unlink_identity."""
        self._loop.run(self._client.unlink_identity(channel, address))

    def create_direct(self, user: User | str) -> Conversation:
        """See AsyncClient.create_direct."""
        return self._loop.run(self._client.create_direct(user))

    def create_group(
        self, title: str, users: Iterable[User | str] = (), *, request_id: str | None = None
    ) -> Conversation:
        """See AsyncClient.create_group."""
        return self._loop.run(self._client.create_group(title, users, request_id=request_id))

    def get_conversation(self, conversation_id: str) -> Conversation:
        """See AsyncClient.get_conversation."""
        return self._loop.run(self._client.get_conversation(conversation_id))

    def list_conversations(self, page_size: int = 50, page_token: str = "") -> Page[Conversation]:
        """See AsyncClient.list_conversations."""
        return self._loop.run(self._client.list_conversations(page_size, page_token))

    def conversations(self, page_size: int = 50) -> Iterator[Conversation]:
        """See AsyncClient.conversations."""
        return sync_items_of_pages(lambda token: self.list_conversations(page_size, token))

    def add_participants(self, conversation_id: str, users: Iterable[User | str]) -> Conversation:
        """See AsyncClient.add_participants."""
        return self._loop.run(self._client.add_participants(conversation_id, users))

    def remove_participant(self, conversation_id: str, user: User | str) -> None:
        """See AsyncClient.remove_participant."""
        self._loop.run(self._client.remove_participant(conversation_id, user))

    def set_role(self, conversation_id: str, user: User | str, role: Role) -> Conversation:
        """See AsyncClient.set_role."""
        return self._loop.run(self._client.set_role(conversation_id, user, role))

    def send(
        self,
        conversation_id: str,
        text: str = "",
        *,
        file_id: str | None = None,
        request_id: str | None = None,
        reply_to: str | None = None,
        metadata: Mapping[str, str] | None = None,
        channels: Iterable[str] = (),
    ) -> SentMessage:
        """See AsyncClient.send."""
        return self._loop.run(
            self._client.send(
                conversation_id,
                text,
                file_id=file_id,
                request_id=request_id,
                reply_to=reply_to,
                metadata=metadata,
                channels=channels,
            )
        )

    def send_stream(self, *, window: int = 256) -> SyncSendStream:
        """See AsyncClient.send_stream; to be used with `with`."""
        return SyncSendStream(self._loop, self._client, window=window)

    def get_message(self, message_id: str) -> Message:
        """See AsyncClient.get_message."""
        return self._loop.run(self._client.get_message(message_id))

    def list_messages(
        self,
        conversation_id: str,
        page_size: int = 50,
        page_token: str = "",
        *,
        after_sequence: int = 0,
        before_sequence: int = 0,
    ) -> Page[Message]:
        """See AsyncClient.list_messages."""
        return self._loop.run(
            self._client.list_messages(
                conversation_id,
                page_size,
                page_token,
                after_sequence=after_sequence,
                before_sequence=before_sequence,
            )
        )

    def messages(
        self,
        conversation_id: str,
        *,
        after_sequence: int = 0,
        before_sequence: int = 0,
        page_size: int = 100,
    ) -> Iterator[Message]:
        """See AsyncClient.messages."""
        return sync_items_of_pages(
            lambda token: self.list_messages(
                conversation_id,
                page_size,
                token,
                after_sequence=after_sequence,
                before_sequence=before_sequence,
            )
        )

    def mark_read(self, message_id: str) -> None:
        """See AsyncClient.mark_read."""
        self._loop.run(self._client.mark_read(message_id))

    def mark_delivered(self, message_id: str) -> None:
        """See AsyncClient.mark_delivered."""
        self._loop.run(self._client.mark_delivered(message_id))

    def subscribe(
        self,
        cursor: str | None = None,
        conversation_id: str | None = None,
        *,
        acknowledge: bool = True,
        silence: float = 60.0,
    ) -> SyncSubscription:
        """See AsyncClient.subscribe; to be used with `with`."""
        return SyncSubscription(
            self._loop,
            self._client,
            cursor=cursor,
            conversation_id=conversation_id,
            acknowledge=acknowledge,
            silence=silence,
        )

    def acknowledge(self, cursor: str) -> None:
        """See AsyncClient.acknowledge."""
        self._loop.run(self._client.acknowledge(cursor))

"""The settings of Chat4All: one section a part, each setting an environment variable.

`python -m chat4all_core.config` prints docs/configuration.md.
"""

# ruff: noqa: RUF009 - setting() declares a field, as dataclasses.field does

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from chat4all_core.setting import (
    FLAG,
    IP_ADDRESS,
    NAMES,
    PATH,
    SECRET,
    TEXT,
    Kind,
    Secret,
    choice,
    describe_section,
    number,
    read_sections,
    setting,
    show_section,
    whole_number,
)

__all__ = ["Settings", "load_settings", "to_markdown", "to_text"]

PORT = whole_number(1, 65_535)
PORT_OR_ANY = whole_number(0, 65_535)


def _keyspace(text: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9_]{0,47}", text):
        raise ValueError(text)
    return text


def _replication(text: str) -> tuple[tuple[str, int], ...]:
    copies = re.findall(r"(?:^|,)\s*([\w-]+)=([1-9]\d?)\s*(?=,|$)", text)
    if len(copies) != text.count(",") + 1:
        raise ValueError(text)
    return tuple((datacenter, int(number)) for datacenter, number in copies)


def _endpoint(text: str) -> str:
    if not re.fullmatch(r"https?://[\w.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?", text):
        raise ValueError(text)
    return text


ENDPOINT = Kind("http:// or https://, a host, and a port if need be", _endpoint)
KEYSPACE = Kind("1 to 48 of a-z, 0-9 and underscore, beginning with a letter", _keyspace)
REPLICATION = Kind("DATACENTER=COPIES, several of them divided by commas", _replication)


@dataclass(frozen=True, slots=True)
class DataSection:
    """Where the embedded platform keeps everything."""

    dir: Path = setting(
        Path(".chat4all"), PATH, "The folder of the event log, the stores and the keys. One platform at a time uses it."
    )


# Chat4All itself speaks plain HTTP, in which passwords and tokens can be read on the way. So nothing listens beyond
# this machine until whoever runs it says so, having put TLS in front or trusting the network (as in a container).
@dataclass(frozen=True, slots=True)
class EnvoySection:
    """The public port: gRPC, gRPC-Web, REST, SSE and WebSocket."""

    address: str = setting(
        "127.0.0.1",
        IP_ADDRESS,
        "Where to listen. `0.0.0.0` lets other machines in: do so behind TLS or in a network that you trust.",
    )
    port: int = setting(8_080, PORT, "The port.")


@dataclass(frozen=True, slots=True)
class ServerSection:
    """The server's own ports, which Envoy connects to."""

    address: str = setting("127.0.0.1", IP_ADDRESS, "Where to listen.")
    grpc_port: int = setting(50_051, PORT_OR_ANY, "The gRPC port; 0 takes any free one.")
    web_port: int = setting(
        0, PORT_OR_ANY, "The port of the plain HTTP handler (metrics, JWKS, event streams); 0 takes any free one."
    )
    drain_seconds: float = setting(
        4.0,
        number(0, 300),
        "How long a server process that was told to end still takes calls, saying that it is not ready: longer than"
        " whatever spreads the calls needs to notice.",
    )


def _roles(text: str) -> tuple[str, ...]:
    roles = tuple(role.strip() for role in text.split(","))
    if not set(roles) <= set(WORKER_ROLES):
        raise ValueError(text)
    return roles


WORKER_ROLES = ("router", "status", "inbound", "connector", "dead_letter")
ROLES = Kind(f"some of {', '.join(WORKER_ROLES)}, divided by commas", _roles)


@dataclass(frozen=True, slots=True)
class WorkerSection:
    """A worker process, where the platform is distributed."""

    roles: tuple[str, ...] = setting(
        WORKER_ROLES,
        ROLES,
        "What it does: `router` orders messages and hands them out, `status` does receipts, `inbound` reads what"
        " channels tell and `connector` tells them what goes out, where the platform has any, `dead_letter` keeps what"
        " could not be handled for operators.",
        f"`{','.join(WORKER_ROLES)}`",
    )
    channels: tuple[str, ...] = setting(
        (), NAMES, "The channels whose connectors it runs, of those with an account.", "all of them"
    )
    max_rejections: int = setting(
        100,
        whole_number(1, 1_000_000),
        "Records of one partition in a row that a worker may set aside because it can't read them. Then it halts the"
        " partition until it is restarted: a release that can read nothing must not empty a topic. What a channel"
        " refuses does not count.",
    )
    address: str = setting("127.0.0.1", IP_ADDRESS, "Where to listen for questions about metrics and health.")
    web_port: int = setting(0, PORT_OR_ANY, "The port for them; 0 takes any free one.")


@dataclass(frozen=True, slots=True)
class LimitSection:
    """How often calls may be made; more are refused with RATE_LIMITED. A stream is one call, however much it carries.
    What asks for health or for the contracts is never limited."""

    user_per_second: float = setting(
        2_000.0, number(0, 1_000_000), "Calls of one user in the long run; 0 sets no limit."
    )
    user_burst: int = setting(10_000, whole_number(1, 10_000_000), "Calls of one user at once.")
    address_per_second: float = setting(
        5_000.0,
        number(0, 1_000_000),
        "Calls from one address (IPv6: a /64 network) in the long run, refused logins included; 0 sets no limit.",
    )
    address_burst: int = setting(25_000, whole_number(1, 10_000_000), "Calls from one address at once.")


@dataclass(frozen=True, slots=True)
class LogSection:
    """The event log, in which every message is durable before it is answered."""

    partitions: int = setting(
        12, whole_number(1, 1_024), "Partitions of each topic, fixed when the topic is made: later changes do nothing."
    )


@dataclass(frozen=True, slots=True)
class AuthSection:
    """Access and refresh tokens."""

    algorithm: str = setting("EdDSA", choice("EdDSA", "RS256", "HS256"), "How access tokens are signed.")
    keys_dir: Path | None = setting(
        None,
        PATH,
        "The folder of the keys: a file each, named by its key id; the last by name signs, all verify.",
        "`keys` in CHAT4ALL_DATA_DIR",
    )
    page_token_key_file: Path | None = setting(
        None,
        PATH,
        "The file with the key of page tokens, at least 32 bytes; not in the folder above.",
        "`page_token_key` in CHAT4ALL_DATA_DIR",
    )
    create_keys: bool = setting(
        False,
        FLAG,
        "Whether a server process makes these keys where they are missing. All servers need the same ones, so only if"
        " the files are on a disk that they share. `make run` makes them anyway.",
        "`off`",
    )
    access_token_seconds: int = setting(3_600, whole_number(1, 86_400), "How long an access token is valid.")
    refresh_token_days: int = setting(30, whole_number(1, 3_650), "How long a refresh token is valid.")
    issuer: str = setting("chat4all", TEXT, "The `iss` of access tokens; tokens with another are refused.")
    audience: str = setting("chat4all", TEXT, "The `aud` of access tokens; tokens with another are refused.")


@dataclass(frozen=True, slots=True)
class StreamSection:
    """The stream of events that is kept for each user."""

    max_events: int = setting(
        10_000, whole_number(1, 1_000_000), "The newest events that are kept; a client that missed more gets RESET."
    )
    max_age_hours: int = setting(168, whole_number(1, 8_760), "How long an event is kept.")


@dataclass(frozen=True, slots=True)
class SubscribeSection:
    """Subscriptions to a stream."""

    heartbeat_seconds: float = setting(
        15.0, number(0.1, 300), "How long a subscription is silent before it gets a HEARTBEAT."
    )


@dataclass(frozen=True, slots=True)
class CassandraSection:
    """The stores of messages, conversations and accounts, where the platform is distributed."""

    contact_points: tuple[str, ...] = setting(
        ("127.0.0.1",), NAMES, "Nodes from which the others are learned; any that is up will do.", "`127.0.0.1`"
    )
    port: int = setting(9_042, PORT, "The port of every node.")
    datacenter: str = setting("datacenter1", TEXT, "Only the nodes of this datacenter are talked to.")
    keyspace: str = setting(
        "chat4all", KEYSPACE, "Where the tables lie. The command that applies migrations makes it if need be."
    )
    replication: tuple[tuple[str, int], ...] = setting(
        (("datacenter1", 3),),
        REPLICATION,
        "How many copies each datacenter has of a keyspace that is made; a single node can have but one.",
        "`datacenter1=3`",
    )
    consistency: str = setting(
        "LOCAL_QUORUM", choice("LOCAL_QUORUM", "QUORUM"), "How many copies must answer a read or a write."
    )
    serial_consistency: str = setting(
        "LOCAL_SERIAL",
        choice("LOCAL_SERIAL", "SERIAL"),
        "How many must agree on what has to be unique. SERIAL, with QUORUM above, if several datacenters write.",
    )
    username: str = setting("", TEXT, "The account; without one, nobody logs in.", "none")
    password: Secret = setting(Secret(), SECRET, "The account's password.", "none")
    tls: bool = setting(False, FLAG, "Whether connections are encrypted and the nodes' certificates verified.", "`off`")
    tls_ca_file: Path | None = setting(
        None, PATH, "The authorities that nodes' certificates are verified with.", "the system's"
    )
    tls_cert_file: Path | None = setting(None, PATH, "The certificate shown to nodes that ask for one.", "none")
    tls_key_file: Path | None = setting(None, PATH, "Its key, if it is not in the same file.", "none")
    request_timeout_seconds: float = setting(
        5.0, number(0.1, 300), "How long a request may take before it counts as failed, and may be tried again."
    )


@dataclass(frozen=True, slots=True)
class KafkaSection:
    """The event log, where the platform is distributed."""

    bootstrap_servers: tuple[str, ...] = setting(
        ("127.0.0.1:9092",),
        NAMES,
        "Brokers (HOST:PORT) from which the others are learned; any that is up will do.",
        "`127.0.0.1:9092`",
    )
    topic_prefix: str = setting(
        "", TEXT, "Goes before the names of topics and groups, where several platforms share a cluster.", "none"
    )
    replication: int = setting(3, whole_number(1, 9), "Copies of each topic that is made; a single broker has but one.")
    min_in_sync: int = setting(
        2, whole_number(1, 9), "How many copies must have a message before it counts as sent; 1 with a single broker."
    )
    retention_hours: int = setting(168, whole_number(1, 87_600), "How long records are kept, handled or not.")
    flush_every_record: bool = setting(
        False,
        FLAG,
        "Whether brokers force records to the disk before they acknowledge them: with a single broker, only this "
        "survives a power cut.",
        "`off`",
    )
    group_protocol: str = setting(
        "consumer", choice("consumer", "classic"), "How workers share partitions: `classic` for Kafka before 4.0."
    )
    append_timeout_seconds: float = setting(
        5.0, number(0.5, 60), "After how long without an acknowledgement an append is given up; its caller may retry."
    )
    linger_milliseconds: float = setting(
        0.0,
        number(0, 100),
        "How long a record waits for others to be sent with. Under load they go together anyway.",
    )
    compression: str = setting(
        "none", choice("none", "lz4", "snappy", "zstd", "gzip"), "How what is sent together is compressed."
    )
    max_unanswered: int = setting(
        20_000, whole_number(1, 1_000_000), "Appends that may wait for their acknowledgement before more are refused."
    )
    max_poll_seconds: float = setting(
        60.0, number(1, 3_600), "How long a worker may be at one batch before another gets its partitions."
    )
    security: str = setting(
        "PLAINTEXT",
        choice("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
        "Whether connections are encrypted (SSL) and logged in (SASL).",
    )
    tls_ca_file: Path | None = setting(
        None, PATH, "The authorities that brokers' certificates are verified with.", "the system's"
    )
    tls_cert_file: Path | None = setting(None, PATH, "The certificate shown to brokers that ask for one.", "none")
    tls_key_file: Path | None = setting(None, PATH, "Its key.", "none")
    sasl_mechanism: str = setting(
        "SCRAM-SHA-512", choice("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"), "How the account logs in."
    )
    username: str = setting("", TEXT, "The account.", "none")
    password: Secret = setting(Secret(), SECRET, "The account's password.", "none")


@dataclass(frozen=True, slots=True)
class S3Section:
    """The bytes of files, where the platform is distributed: a bucket of any store that speaks S3."""

    endpoint_url: str = setting("http://127.0.0.1:9000", ENDPOINT, "Where the platform reaches the store.")
    public_url: str = setting(
        "",
        ENDPOINT,
        "Where clients reach it, for downloads and direct uploads: what stands before it must leave paths and the "
        "Host header as they are.",
        "the endpoint",
    )
    region: str = setting("us-east-1", TEXT, "The bucket's region.")
    bucket: str = setting("chat4all", TEXT, "The bucket, for files alone. The set-up command makes it if need be.")
    access_key: str = setting("", TEXT, "The account's name.", "none")
    secret_key: Secret = setting(Secret(), SECRET, "Its key. Never printed.", "none")
    path_style: bool = setting(
        True, FLAG, "Whether URLs have the bucket in the path, or else in the name of the host.", "`on`"
    )
    tls_ca_file: Path | None = setting(
        None, PATH, "The authorities that the store's certificate is verified with.", "the system's"
    )
    timeout_seconds: float = setting(
        30.0, number(0.1, 300), "How long the store may be silent before a request counts as failed."
    )
    max_requests: int = setting(
        32, whole_number(1, 1_000), "Requests that a process has under way at a time; others wait for their turn."
    )


@dataclass(frozen=True, slots=True)
class FilesSection:
    """Files, uploads and downloads."""

    max_file_bytes: int = setting(5 << 40, whole_number(1, 5 << 40), "The largest file; 5 TiB unless set.")
    max_bytes_per_user: int = setting(
        10 << 40, whole_number(1, 1 << 60), "What one user's files may have together, uploads under way included."
    )
    max_uploads_per_user: int = setting(100, whole_number(1, 100_000), "Unfinished uploads of one user at a time.")
    memory_bytes: int = setting(
        24 << 20,
        whole_number(8 << 20, 1 << 40),
        "What all uploads of a server together may hold of parts in memory; one takes up to four parts of 8 MiB, or of"
        " up to 64 MiB when it has more than 78 GiB. Those that find none wait. Beside it each has up to 6 MiB on their"
        " way.",
    )
    keep_free_bytes: int = setting(
        256 << 20,
        whole_number(0, 1 << 50),
        "What files leave free of the disk that holds the embedded platform's data, for messages need it too. Uploads"
        " that would take more are refused until there is room (STORAGE_FULL).",
    )
    link_seconds: int = setting(3_600, whole_number(1, 604_800), "How long a download URL is valid.")
    public_url: str = setting(
        "",
        TEXT,
        "What URLs to this platform begin with, as clients reach it.",
        "`http://` and Envoy's address and port",
    )
    clean_up_seconds: int = setting(
        600, whole_number(1, 86_400), "How often expired uploads and whatever else nobody needs are removed."
    )


@dataclass(frozen=True, slots=True)
class ChannelsSection:
    """Networks beyond the platform: WhatsApp, Instagram, Telegram."""

    accounts_file: Path | None = setting(
        None,
        PATH,
        "The TOML file with the accounts on them (docs/channels); without one, the platform has no channels.",
        "none",
    )
    simulated: bool = setting(
        False,
        FLAG,
        "Whether the embedded platform, where it is given no such file, starts simulators of them to try things out"
        " with. `make run` does so unless told otherwise.",
        "`off`",
    )
    max_media_bytes: int = setting(
        100 << 20, whole_number(0, 5 << 40), "The largest file that a person on a channel may send; 100 MiB unless set."
    )


@dataclass(frozen=True, slots=True)
class RedisSection:
    """The user streams and the rate limits, where the platform is distributed."""

    url: Secret = setting(
        Secret("redis://127.0.0.1:6379/0"),
        SECRET,
        "`redis://USER:PASSWORD@HOST:PORT/DATABASE`, or `rediss://` for TLS; of a cluster, any node. Never printed.",
        "`redis://127.0.0.1:6379/0`",
    )
    cluster: bool = setting(False, FLAG, "Whether it is a Redis Cluster.", "`off`")
    key_prefix: str = setting(
        "chat4all:", TEXT, "Goes before every key and channel, where several platforms share a Redis."
    )
    tls_ca_file: Path | None = setting(
        None, PATH, "The authorities that the server's certificate is verified with.", "the system's"
    )
    tls_cert_file: Path | None = setting(None, PATH, "The certificate shown to a server that asks for one.", "none")
    tls_key_file: Path | None = setting(None, PATH, "Its key, if it is not in the same file.", "none")
    timeout_seconds: float = setting(
        3.0, number(0.1, 60), "How long an answer, or a connection, may take before it counts as failed."
    )
    max_connections: int = setting(
        64, whole_number(1, 10_000), "Connections of each process to a node; calls beyond wait for one."
    )


@dataclass(frozen=True, slots=True)
class TelemetrySection:
    """What the platform tells of itself, beside its metrics."""

    log_level: str = setting(
        "INFO", choice("DEBUG", "INFO", "WARNING", "ERROR"), "The least important log events that are written."
    )
    traces: str = setting(
        "off", choice("off", "console"), "Where spans go; `off` still passes the traces of others on."
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set."""

    data: DataSection
    envoy: EnvoySection
    server: ServerSection
    worker: WorkerSection
    limit: LimitSection
    log: LogSection
    auth: AuthSection
    stream: StreamSection
    subscribe: SubscribeSection
    cassandra: CassandraSection
    kafka: KafkaSection
    redis: RedisSection
    s3: S3Section
    files: FilesSection
    channels: ChannelsSection
    telemetry: TelemetrySection

    @property
    def keys_dir(self) -> Path:
        """The folder of the token keys."""
        return self.auth.keys_dir or self.data.dir / "keys"

    @property
    def page_token_key_file(self) -> Path:
        """The file with the key of page tokens."""
        return self.auth.page_token_key_file or self.data.dir / "page_token_key"


def load_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in an environment. A variable that is empty counts as not set.

    Raises:
        SettingsError: with a line for each mistake, variables that are no setting included.
    """
    return Settings(**read_sections(_sections(), environ))


def to_text(settings: Settings) -> str:
    """Every setting as it is, a line each, in the form in which the environment has it; secrets are hidden."""
    lines = []
    for section in _sections():
        values = getattr(settings, section)
        lines += [f"{name}={text}" for name, text in show_section(section, values)]
    return "\n".join(lines)


def to_markdown() -> str:
    """The documentation of every setting."""
    lines = [
        "# Configuration",
        "",
        "Every setting is an environment variable. One that is empty counts as not set. At a mistake, or a",
        "`CHAT4ALL_` variable that is no setting, nothing starts, and each mistake is named.",
        "",
        "This page is the output of `python -m chat4all_core.config`.",
    ]
    for section, cls in _sections().items():
        lines += ["", f"## {section.capitalize()}", "", str(cls.__doc__), ""]
        lines += ["| name | default | allowed | meaning |", "| --- | --- | --- | --- |"]
        lines += [f"| {s.name} | {s.default} | {s.allowed} | {s.meaning} |" for s in describe_section(section, cls)]
    return "\n".join(lines) + "\n"


def _sections() -> Mapping[str, type[Any]]:
    return {field.name: field.type for field in fields(Settings) if isinstance(field.type, type)}


if __name__ == "__main__":
    sys.stdout.write(to_markdown())

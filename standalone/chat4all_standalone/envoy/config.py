"""What Envoy is told: its template, filled with ports, addresses and the methods of the contracts."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from chat4all_standalone.envoy.local_replies import local_reply_mappers

Address = tuple[str, int]
"""An IP address (Envoy resolves no names here) and a port."""

# Beside the contracts' own methods, what any gRPC tool asks a server for. Channelz shows the inside
# of a server and is not among them.
_PUBLIC_STREAMS = (
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
)
_PUBLIC_UNARY = ("/grpc.health.v1.Health/Check",)


@dataclass(frozen=True, slots=True)
class EnvoyTimeouts:
    """Times in seconds. None of them applies to gRPC streams and streamed REST answers."""

    unary: float = 60.0
    """From the end of a request to the end of its answer; then the caller sees DEADLINE_EXCEEDED."""
    idle: float = 300.0
    """How long a request may stand still in either direction."""
    headers: float = 10.0
    """From a request's first byte to the end of its headers."""


@dataclass(frozen=True, slots=True)
class EnvoySettings:
    """What an Envoy needs to know. Paths may be relative to the current directory."""

    public: Address
    """Where clients connect: CHAT4ALL_ENVOY_ADDRESS and CHAT4ALL_ENVOY_PORT. The port can't be 0."""
    grpc: tuple[Address, ...]
    """The servers' gRPC ports; each must implement grpc.health.v1."""
    web: tuple[Address, ...]
    """The servers' plain HTTP ports."""
    template: Path
    """envoy/envoy.yaml.tmpl"""
    descriptors: Path
    """gen/envoy/chat4all.binpb"""
    data_dir: Path
    """Gets envoy.yaml and envoy.log; made when missing. No two Envoys share one."""
    timeouts: EnvoyTimeouts = field(default_factory=EnvoyTimeouts)


def render_config(settings: EnvoySettings, instance: str) -> str:
    """Return Envoy's configuration. Raises OSError when the template or the descriptors are missing.

    `instance` is what tells this Envoy from any other one that answers on the same port.
    """
    services = tuple(_services(settings.descriptors))
    streaming = [path for service in services for path, streams in service.methods if streams]
    unary = [path for service in services for path, streams in service.methods if not streams]
    values = {
        "instance": instance,
        "public_host": settings.public[0],
        "public_port": settings.public[1],
        "ipv4_too": settings.public[0] == "::",
        "grpc_endpoints": _endpoints(settings.grpc),
        "web_endpoints": _endpoints(settings.web),
        "descriptors": str(settings.descriptors.resolve()),
        "services": [service.name for service in services],
        "streaming_methods": _any_of([*streaming, *_PUBLIC_STREAMS]),
        "unary_methods": _any_of([*unary, *_PUBLIC_UNARY]),
        "unary_timeout": _seconds(settings.timeouts.unary),
        "idle_timeout": _seconds(settings.timeouts.idle),
        "headers_timeout": _seconds(settings.timeouts.headers),
        "local_replies": local_reply_mappers(instance),
    }
    template = Template(settings.template.read_text(encoding="utf-8"))
    return template.substitute({name: json.dumps(value) for name, value in values.items()})


@dataclass(frozen=True, slots=True)
class _Service:
    name: str
    methods: tuple[tuple[str, bool], ...]


def _services(descriptors: Path) -> Iterator[_Service]:
    """Yield every service of the contracts: its methods' paths, and whether either side streams."""
    for file in FileDescriptorSet.FromString(descriptors.read_bytes()).file:
        if not file.package.startswith("chat4all."):
            continue
        for service in file.service:
            name = f"{file.package}.{service.name}"
            methods = tuple(
                (f"/{name}/{method.name}", method.client_streaming or method.server_streaming)
                for method in service.method
            )
            yield _Service(name, methods)


def _any_of(paths: Iterable[str]) -> str:
    return "|".join(re.escape(path) for path in paths)


def _endpoints(addresses: Iterable[Address]) -> list[dict[str, object]]:
    return [
        {"endpoint": {"address": {"socket_address": {"address": host, "port_value": port}}}} for host, port in addresses
    ]


def _seconds(value: float) -> str:
    return f"{value:.3f}s"

"""Where the bytes of files are kept."""

from dataclasses import dataclass

from chat4all_core.config import Settings
from chat4all_core.ports.content_hash import ContentHasher
from chat4all_core.ports.linked_store import LinkedStore
from chat4all_core.ports.object_store import ObjectStore
from chat4all_core.ports.type_detector import TypeDetector


@dataclass(frozen=True, slots=True)
class FileStorage:
    """The store of objects, and what looks at their bytes."""

    objects: ObjectStore
    hasher: ContentHasher
    detect_type: TypeDetector
    links: LinkedStore | None
    """Where the store's URLs lead back to this server."""


def public_url(settings: Settings) -> str:
    """What URLs to this platform begin with."""
    if settings.files.public_url:
        return settings.files.public_url
    address = settings.envoy.address
    host = "localhost" if address in ("0.0.0.0", "::") else f"[{address}]" if ":" in address else address
    return f"http://{host}:{settings.envoy.port}"

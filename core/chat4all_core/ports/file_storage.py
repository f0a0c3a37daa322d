"""Where the bytes of files are kept."""

from dataclasses import dataclass

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
    """Where the store's URLs lead back to the platform's own HTTP port."""

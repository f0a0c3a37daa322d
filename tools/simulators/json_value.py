"""JSON, as the services speak it."""

from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]

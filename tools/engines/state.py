"""engines.json: which nodes there are, where they listen, and what clients need to connect."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .engine import Node

Clusters = Mapping[str, tuple[Node, ...]]


@dataclass(frozen=True, slots=True)
class StateFile:
    """The file, replaced as a whole on every change; only who holds the directory's lock may write it."""

    path: Path

    def clusters(self) -> dict[str, tuple[Node, ...]]:
        """Return the nodes of each engine that was brought up and not taken down since."""
        nodes = self._read().get("nodes", {})
        clusters: dict[str, tuple[Node, ...]] = {}
        for values in nodes.values():
            clusters[values["engine"]] = (*clusters.get(values["engine"], ()), Node(**values))
        return clusters

    def endpoints(self) -> dict[str, Any]:
        """Return what `Engine.endpoint` said for each of them."""
        endpoints: dict[str, Any] = self._read().get("endpoints", {})
        return endpoints

    def write(self, clusters: Clusters, endpoints: Mapping[str, Any]) -> None:
        """Write both; without any engine the file goes."""
        if not clusters:
            self.path.unlink(missing_ok=True)
            return
        nodes = {node.name: asdict(node) for cluster in clusters.values() for node in cluster}
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps({"endpoints": endpoints, "nodes": nodes}, indent=2) + "\n")
        temporary.replace(self.path)

    def _read(self) -> dict[str, Any]:
        try:
            content: dict[str, Any] = json.loads(self.path.read_text())
        except FileNotFoundError:
            return {}
        return content

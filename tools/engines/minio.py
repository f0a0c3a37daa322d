"""MinIO, built from its pinned source by the Go compiler. Its project is archived; this is its last state."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .cache import Cache
from .engine import Command, Node, single
from .errors import EngineError
from .ports import PortChoice
from .s3 import ACCESS_KEY, SECRET_KEY, http_get, s3_endpoint
from .toolchain import go, run

_MODULE = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
_MODULE_HASH = "h1:/qdoYujxF5MBLDMVLeiYJ/7fBa1HikX39Dvzb9Ji8pA="  # SHA-256 of the source, as in a go.sum


class MinIO:
    """One MinIO on one folder."""

    name = "minio"
    version = "2026-02-12"
    grace = 30.0
    one_by_one = False

    def install(self, cache: Cache) -> Path:
        """Build it; takes minutes the first time."""

        def build(directory: Path) -> None:
            compiler = go(cache)
            # GOFLAGS is emptied: a machine's own flags, such as -mod=vendor, would break the build.
            settings = {"GOBIN": str(directory), "CGO_ENABLED": "0", "GOFLAGS": ""}
            source = json.loads(run([compiler, "mod", "download", "-json", _MODULE], settings))
            if source["Sum"] != _MODULE_HASH:
                raise EngineError(f"the source of {_MODULE} is not the pinned one: its hash is {source['Sum']}")
            run([compiler, "install", "-trimpath", "-ldflags=-s -w", _MODULE], settings)

        return cache.provide(f"{self.name}-{self.version}", build) / "minio"

    def nodes(self, size: int, ports: PortChoice) -> tuple[Node, ...]:
        """Lay out the one node."""
        return single(self.name, size, {"s3": 9000}, ports)

    def prepare(self, node: Node, cluster: Sequence[Node], directory: Path, home: Path) -> Command:
        """Everything is an argument or in the environment."""
        data, certificates = directory / "data", directory / "certs"
        data.mkdir(exist_ok=True)
        certificates.mkdir(exist_ok=True)
        address = f"{node.host}:{node.ports['s3']}"
        return Command(
            (str(home), "server", "--quiet", "--address", address, "--certs-dir", str(certificates), str(data)),
            {
                "MINIO_ROOT_USER": ACCESS_KEY,
                "MINIO_ROOT_PASSWORD": SECRET_KEY,
                "MINIO_BROWSER": "off",
                "MINIO_UPDATE": "off",
                "GOMEMLIMIT": "512MiB",
            },
        )

    def ready(self, node: Node, running: Sequence[Node]) -> bool:
        """It says so itself."""
        status, _ = http_get(node.host, node.ports["s3"], "/minio/health/ready")
        return status == 200

    def endpoint(self, cluster: Sequence[Node]) -> dict[str, Any]:
        """Return the S3 endpoint and the account of development."""
        return s3_endpoint(cluster)

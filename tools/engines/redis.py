"""Redis, from Debian's package."""

import re
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

from .cache import Cache
from .engine import Command, Node, single
from .errors import EngineError
from .ports import PortChoice
from .toolchain import HERE, apt_install, run


class Redis:
    """One Redis with an append-only file."""

    name = "redis"
    grace = 30.0
    one_by_one = False

    @property
    def version(self) -> str:
        """The version that the machine's package has; 7.0 or later will do."""
        program = shutil.which("redis-server")
        found = re.search(r"v=([\d.]+)", run([program, "--version"])) if program else None
        return found[1] if found else "unknown"

    def install(self, cache: Cache) -> Path:
        """Install the package unless the program is there."""
        if shutil.which("redis-server") is None:
            apt_install(cache, "redis-server", "Redis")
        program = shutil.which("redis-server")
        if program is None:
            raise EngineError("there is still no redis-server after its installation")
        return Path(program)

    def nodes(self, size: int, ports: PortChoice) -> tuple[Node, ...]:
        """Lay out the one node."""
        return single(self.name, size, {"redis": 6379}, ports)

    def prepare(self, node: Node, cluster: Sequence[Node], directory: Path, home: Path) -> Command:
        """Write redis.conf."""
        data = directory / "data"
        data.mkdir(exist_ok=True)
        configuration = directory / "redis.conf"
        template = Template((HERE / "conf" / "redis.conf").read_text())
        configuration.write_text(template.substitute(host=node.host, port=node.ports["redis"], data=data))
        return Command((str(home), str(configuration)))

    def ready(self, node: Node, running: Sequence[Node]) -> bool:
        """PING is answered; while the append-only file is read it is not."""
        try:
            with socket.create_connection((node.host, node.ports["redis"]), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(64) == b"+PONG\r\n"
        except OSError:
            return False

    def endpoint(self, cluster: Sequence[Node]) -> dict[str, Any]:
        """Return the URL."""
        return {"url": f"redis://{cluster[0].host}:{cluster[0].ports['redis']}/0"}

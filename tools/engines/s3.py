"""What the S3 stores have in common: the account of development and the questions asked over HTTP."""

import http.client
from collections.abc import Sequence
from typing import Any

from .engine import Node

# For development and tests on loopback only. Deployments bring their own, see compose.yaml.
ACCESS_KEY = "chat4all"
SECRET_KEY = "chat4all-development"


def s3_endpoint(cluster: Sequence[Node]) -> dict[str, Any]:
    """Return what an S3 client needs; path-style addressing, for there is no wildcard DNS on loopback."""
    return {
        "endpoint_url": f"http://{cluster[0].host}:{cluster[0].ports['s3']}",
        "access_key": ACCESS_KEY,
        "secret_key": SECRET_KEY,
        "region": "us-east-1",
        "addressing_style": "path",
    }


def http_get(host: str, port: int, path: str) -> tuple[int, bytes]:
    """Return the status and the body; (0, b"") when there is no answer. No proxy is asked."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()

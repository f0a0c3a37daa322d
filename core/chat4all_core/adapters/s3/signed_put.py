"""PUT requests that the library's client can't make: of bytes in pieces, and by a URL that fixes their number."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from urllib.parse import SplitResult, urlsplit, urlunsplit

import google_crc32c
from minio.credentials.credentials import Credentials
from minio.helpers import BaseURL
from minio.signer import get_credential_string, post_presign_v4, sign_v4_s3
from minio.time import to_amz_date

_SIGNED_HEADERS = "content-length;host"
_UNSIGNED = "UNSIGNED-PAYLOAD"


class SignedPut:
    """Signs requests to one bucket, at one address of the store."""

    def __init__(self, endpoint: BaseURL, bucket: str, region: str, credentials: Credentials) -> None:
        self._endpoint = endpoint
        self._bucket = bucket
        self._region = region
        self._credentials = credentials

    def request(
        self, name: str, pieces: Sequence[bytes], query: Mapping[str, str], headers: Mapping[str, str], at: datetime
    ) -> tuple[str, dict[str, str]]:
        """URL and headers of a request whose body is these pieces. TLS protects them on their way; without it their
        CRC-32C is signed, so that the store refuses what was damaged."""
        url = self._url(name, query)
        signed: dict[str, Any] = {
            **headers,
            **({} if url.scheme == "https" else {"x-amz-checksum-crc32c": _crc32c(pieces)}),
            "Content-Length": str(sum(map(len, pieces))),
            "Content-Type": "application/octet-stream",
            "Host": url.netloc,
            "x-amz-content-sha256": _UNSIGNED,
            "x-amz-date": to_amz_date(at),
        }
        signed = sign_v4_s3(
            method="PUT",
            url=url,
            region=self._region,
            headers=signed,
            credentials=self._credentials,
            content_sha256=_UNSIGNED,
            date=at,
        )
        return urlunsplit(url), cast("dict[str, str]", signed)

    def url(self, name: str, query: Mapping[str, str], size: int, at: datetime, lifetime: int) -> str:
        """A URL to which anybody may PUT exactly `size` bytes for `lifetime` seconds from `at` on (AWS Signature
        Version 4, in the query)."""
        scope = get_credential_string(self._credentials.access_key, at, self._region)
        signing = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": scope,
            "X-Amz-Date": to_amz_date(at),
            "X-Amz-Expires": str(lifetime),
            "X-Amz-SignedHeaders": _SIGNED_HEADERS,
        }
        url = urlunsplit(self._url(name, {**query, **signing}))
        request = _canonical(urlsplit(url), size)
        to_sign = "\n".join(
            [
                "AWS4-HMAC-SHA256",
                to_amz_date(at),
                scope.partition("/")[2],
                hashlib.sha256(request.encode()).hexdigest(),
            ]
        )
        # The library calls it after POST policies; signatures of URLs are made the same way.
        return f"{url}&X-Amz-Signature={post_presign_v4(to_sign, self._credentials.secret_key, at, self._region)}"

    def _url(self, name: str, query: Mapping[str, str]) -> SplitResult:
        return self._endpoint.build(
            method="PUT", region=self._region, bucket_name=self._bucket, object_name=name, query_params=dict(query)
        )


def _canonical(url: SplitResult, size: int) -> str:
    headers = f"content-length:{size}\nhost:{url.netloc}\n"
    return "\n".join(["PUT", url.path, url.query, headers, _SIGNED_HEADERS, _UNSIGNED])


def _crc32c(pieces: Sequence[bytes]) -> str:
    value = 0
    for piece in pieces:
        value = google_crc32c.extend(value, piece)
    return base64.b64encode(value.to_bytes(4, "big")).decode()

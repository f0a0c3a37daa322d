"""The bucket, in the store's own terms. Everything here blocks, runs in threads, and raises the client's errors."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from minio.datatypes import Object, Part, Upload
from minio.error import InvalidResponseError, S3Error
from minio.helpers import DictType
from urllib3.response import BaseHTTPResponse

from chat4all_core.adapters.s3.connection import client_for, open_pool, signed_put_for
from chat4all_core.adapters.s3.errors import unavailable
from chat4all_core.config import S3Section

_OK = 200


class Bucket:
    """Requests go to the endpoint, URLs lead to the public one. Several threads may use it at once."""

    def __init__(self, section: S3Section) -> None:
        """Connects to nothing yet."""
        public_url = section.public_url or section.endpoint_url
        self.name = section.bucket
        self._pool = open_pool(section)
        self._client = client_for(section, section.endpoint_url, self._pool)
        self._public = client_for(section, public_url, self._pool)
        self._put = signed_put_for(section, section.endpoint_url)
        self._public_put = signed_put_for(section, public_url)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._pool.clear()

    def exists(self) -> bool:
        """Whether there is such a bucket."""
        return self._client.bucket_exists(self.name)

    def create(self) -> bool:
        """Make the bucket; whether it was missing."""
        if self.exists():
            return False
        try:
            self._client.make_bucket(self.name)
        except S3Error as error:
            if error.code != "BucketAlreadyOwnedByYou":
                raise
            return False
        return True

    def put(
        self, name: str, pieces: Sequence[bytes], query: Mapping[str, str] | None = None, *, only_new: bool = False
    ) -> str:
        """Put an object, or what the query says, without copying its bytes; returns its ETag. One that exists is
        replaced, or, if `only_new`, answered with PreconditionFailed."""
        condition = {"If-None-Match": "*"} if only_new else {}
        url, headers = self._put.request(name, pieces, query or {}, condition, datetime.now(UTC))
        response = self._pool.urlopen("PUT", url, body=pieces, headers=headers)
        if response.status != _OK:
            raise _error(response)
        return response.headers.get("ETag", "").strip('"')

    def get(self, name: str, start: int, end: int) -> BaseHTTPResponse:
        """An answer whose body, a range of an object that isn't empty, is yet to be read."""
        return self._client.get_object(self.name, name, start, end - start)

    def get_all(self, name: str) -> bytes:
        """A small object."""
        response = self._client.get_object(self.name, name)
        try:
            return response.read()
        finally:
            response.release_conn()

    def size_of(self, name: str) -> int:
        """How many bytes an object has."""
        return self._client.stat_object(self.name, name).size or 0

    def remove(self, name: str) -> None:
        """Remove an object; nothing happens when there is none."""
        self._client.remove_object(self.name, name)

    def objects(self, prefix: str = "") -> Iterator[Object]:
        """All objects whose names begin so; asks for a thousand at a time."""
        found: Iterator[Object] = self._client.list_objects(
            self.name, prefix=prefix, recursive=True, use_url_encoding_type=True
        )
        return found

    def create_upload(self, name: str) -> str:
        """Begin a multipart upload."""
        return self._client._create_multipart_upload(self.name, name, {})

    def put_part(self, name: str, upload_id: str, number: int, pieces: Sequence[bytes]) -> str:
        """Store a part; returns its ETag."""
        return self.put(name, pieces, {"partNumber": str(number), "uploadId": upload_id})

    def copy_part(self, name: str, upload_id: str, number: int, source: str, start: int, end: int) -> Part:
        """Make a part of a range of another object, within the store."""
        etag, _ = self._client._upload_part_copy(
            self.name,
            name,
            upload_id,
            number,
            {
                "x-amz-copy-source": quote(f"/{self.name}/{source}"),
                "x-amz-copy-source-range": f"bytes={start}-{end - 1}",
            },
        )
        return Part(number, etag.strip('"'), size=end - start)

    def parts(self, name: str, upload_id: str) -> Sequence[Part]:
        """The parts of an upload that are stored, by number."""
        parts: list[Part] = []
        while True:
            marker = str(parts[-1].part_number) if parts else None
            page = self._client._list_parts(self.name, name, upload_id, part_number_marker=marker)
            parts += page.parts
            if not page.is_truncated or not page.parts:
                return parts

    def require_upload(self, name: str, upload_id: str) -> None:
        """NoSuchUpload when it is gone."""
        self._client._list_parts(self.name, name, upload_id, max_parts=1)

    def complete_upload(self, name: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Make the object of these parts."""
        result = self._client._complete_multipart_upload(self.name, name, upload_id, list(parts))
        if not result.etag:  # a store that takes its time answers 200 first, and may find out otherwise
            raise unavailable("an object was not completed")

    def abort_upload(self, name: str, upload_id: str) -> None:
        """Remove an upload; nothing happens when there is none."""
        try:
            self._client._abort_multipart_upload(self.name, name, upload_id)
        except S3Error as error:
            if error.code != "NoSuchUpload":
                raise

    def uploads(self, prefix: str = "") -> Iterator[Upload]:
        """All uploads under way whose names begin so. MinIO takes only two prefixes: a whole name, and none, which
        gives the uploads that began since it was started."""
        last: Upload | None = None
        while True:
            page = self._client._list_multipart_uploads(
                self.name,
                prefix=prefix,
                key_marker=last.object_name if last else None,
                upload_id_marker=last.upload_id if last else None,
            )
            yield from page.uploads
            if not page.is_truncated or not page.uploads:
                return
            last = page.uploads[-1]

    def presign_part(self, name: str, upload_id: str, number: int, size: int, at: datetime, lifetime: int) -> str:
        """A URL to which exactly `size` bytes may be PUT as a part."""
        query = {"partNumber": str(number), "uploadId": upload_id}
        return self._public_put.url(name, query, size, at, lifetime)

    def presign_get(self, name: str, headers: Mapping[str, str], at: datetime, lifetime: int) -> str:
        """A URL from which an object may be got, with these headers in the answer."""
        answer: DictType = {f"response-{header.lower()}": value for header, value in headers.items()}
        return self._public.get_presigned_url(
            "GET", self.name, name, timedelta(seconds=lifetime), answer, request_date=at
        )


def _error(response: BaseHTTPResponse) -> Exception:
    if not response.data or b"<Error" not in response.data:
        return InvalidResponseError(response.status, response.headers.get("Content-Type"), None)
    return S3Error.fromxml(response)

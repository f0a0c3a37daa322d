"""The multipart uploads of segments."""

from minio.error import S3Error

from chat4all_core.adapters.s3.bucket import Bucket
from chat4all_core.adapters.s3.layout import segment_name, segment_upload_name, segment_uploads_prefix
from chat4all_core.ports.object_store import StoreUpload


class SegmentUploads:
    """Processes that need the same one agree: its name is written down once. Everything here blocks."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def get_or_begin(self, upload: StoreUpload, segment: int) -> str:
        """The multipart upload of a segment, which is begun if need be.

        Raises:
            S3Error: NoSuchUpload: the object's own is gone.
        """
        # Asked for anew for each part: that is little beside the part's bytes.
        return self._find(upload, segment) or self._begin(upload, segment)

    def all(self, upload: StoreUpload) -> dict[int, str]:
        """Those that were begun, by segment."""
        prefix = segment_uploads_prefix(upload)
        names = [item.object_name or "" for item in self._bucket.objects(prefix)]
        return {int(name.removeprefix(prefix)): self._bucket.get_all(name).decode() for name in names}

    def _find(self, upload: StoreUpload, segment: int) -> str | None:
        try:
            return self._bucket.get_all(segment_upload_name(upload, segment)).decode()
        except S3Error as error:
            if error.code != "NoSuchKey":
                raise
            return None

    def _begin(self, upload: StoreUpload, segment: int) -> str:
        self._bucket.require_upload(upload.key, upload.store_upload)
        begun = self._bucket.create_upload(segment_name(upload, segment))
        try:
            self._bucket.put(segment_upload_name(upload, segment), [begun.encode()], only_new=True)
        except S3Error as error:
            if error.code != "PreconditionFailed":
                raise
            self._bucket.abort_upload(segment_name(upload, segment), begun)
            return self.get_or_begin(upload, segment)
        return begun

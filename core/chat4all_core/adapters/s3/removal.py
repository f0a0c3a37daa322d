"""Removing what uploads have left. Everything here blocks, and nothing happens where there is nothing."""

from chat4all_core.adapters.s3.bucket import Bucket
from chat4all_core.adapters.s3.layout import segment_of, unfinished_key, unfinished_prefix, upload_prefix
from chat4all_core.ports.object_store import StoreUpload


class Removal:
    """Multipart uploads go first: whoever still stores a tail then learns that its upload is gone."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def upload(self, upload: StoreUpload) -> None:
        """Everything of one upload."""
        self._bucket.abort_upload(upload.key, upload.store_upload)
        self.remains(upload)

    def remains(self, upload: StoreUpload) -> None:
        """Everything of one upload but itself."""
        self._remove(upload.key, upload_prefix(upload))

    def unfinished(self, key: str) -> None:
        """Everything of every upload of a key."""
        for prefix in (key, unfinished_prefix(key)):
            for found in self._bucket.uploads(prefix):
                if key in (found.object_name, unfinished_key(found.object_name)):
                    self._bucket.abort_upload(found.object_name, found.upload_id or "")
        self._remove(key, unfinished_prefix(key))

    def _remove(self, key: str, prefix: str) -> None:
        for item in self._bucket.objects(prefix):
            name = item.object_name or ""
            if unfinished_key(name) != key:  # that of a longer key
                continue
            segment = segment_of(name)
            if segment is not None:
                self._bucket.abort_upload(segment, self._bucket.get_all(name).decode())
            self._bucket.remove(name)

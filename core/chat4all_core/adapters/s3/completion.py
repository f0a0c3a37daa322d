"""Making objects of their parts. Everything here blocks, and may be cut anywhere and done again."""

from collections.abc import Mapping, Sequence

from minio.datatypes import Part as StoredPart
from minio.error import S3Error

from chat4all_core.adapters.s3.bucket import Bucket
from chat4all_core.adapters.s3.layout import segment_name
from chat4all_core.adapters.s3.segment_uploads import SegmentUploads
from chat4all_core.adapters.s3.segments import Copy, SegmentPlan
from chat4all_core.domain.upload import Part
from chat4all_core.ports.object_store import ObjectContradictionError, StoreUpload


class Completion:
    """Completes uploads. The object appears in one step, the last, however many segments it is made of."""

    def __init__(self, bucket: Bucket, plan: SegmentPlan, segment_uploads: SegmentUploads) -> None:
        self._bucket = bucket
        self._plan = plan
        self._segment_uploads = segment_uploads

    def run(self, upload: StoreUpload, parts: Sequence[Part], size: int) -> None:
        """Complete an upload, or find that it was completed.

        Raises:
            ObjectContradictionError: neither upload nor object exist, or the object has another size.
            S3Error: InvalidPart and the like: parts are not as they must be.
        """
        by_segment = self._plan.split(parts)
        direct = by_segment.pop(0, [])
        try:
            if not parts:
                self._complete_empty(upload)
                return
            stored = [StoredPart(part.number, part.tag, size=part.size) for part in direct]
            if by_segment:
                stored += self._joined(upload, by_segment)
            self._bucket.complete_upload(upload.key, upload.store_upload, stored)
        except S3Error as error:
            if error.code != "NoSuchUpload":
                raise
            self._require_object(upload.key, size)

    def _complete_empty(self, upload: StoreUpload) -> None:
        # S3 completes nothing without a part, and takes an empty one.
        tag = self._bucket.put_part(upload.key, upload.store_upload, 1, [])
        self._bucket.complete_upload(upload.key, upload.store_upload, [StoredPart(1, tag)])

    def _joined(self, upload: StoreUpload, by_segment: Mapping[int, Sequence[Part]]) -> list[StoredPart]:
        stored = self._bucket.parts(upload.key, upload.store_upload)
        done = {part.part_number: part for part in stored}
        uploads = self._segment_uploads.all(upload)
        sizes = []
        for segment, parts in sorted(by_segment.items()):
            sizes.append(sum(part.size for part in parts))
            self._complete_segment(upload, segment, uploads.get(segment, ""), parts, sizes[-1])
        copies = self._plan.copies(sizes, upload.part_size)
        return [self._copy(upload, copy, done.get(copy.number)) for copy in copies]

    def _complete_segment(
        self, upload: StoreUpload, segment: int, segment_upload: str, parts: Sequence[Part], size: int
    ) -> None:
        name = segment_name(upload, segment)
        try:
            self._bucket.complete_upload(name, segment_upload, [StoredPart(part.number, part.tag) for part in parts])
        except S3Error as error:
            if error.code != "NoSuchUpload":
                raise
            self._require_object(name, size)

    def _copy(self, upload: StoreUpload, copy: Copy, there: StoredPart | None) -> StoredPart:
        """Copy a range, unless that was done: segments never change once they are complete."""
        if there is not None and there.size == copy.end - copy.start:
            return there
        source = segment_name(upload, copy.segment)
        return self._bucket.copy_part(upload.key, upload.store_upload, copy.number, source, copy.start, copy.end)

    def _require_object(self, name: str, size: int) -> None:
        there = self._bucket.size_of(name)
        if there != size:
            raise ObjectContradictionError(f"{name} has {there} bytes, not {size}")

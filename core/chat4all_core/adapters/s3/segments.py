"""How the parts of an object are spread over multipart uploads, none of which takes more than 10,000.

The first parts go into the multipart upload of the object itself. Others go into *segments*, objects with multipart
uploads of their own, which are copied within the store, in ranges, into the last numbers of the object's upload.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from chat4all_core.domain.upload import Part


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part lies."""

    segment: int
    """0 is the object's own upload."""
    number: int
    """Within the segment's upload."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A range of a segment that becomes a part of the object."""

    number: int
    segment: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SegmentPlan:
    """Numbers that fit 5 TiB in the smallest parts, 8 MiB: then 66 segments are copied in 1,166 ranges of less than
    the 5 GiB that S3 copies at once."""

    direct_parts: int = 8_800
    segment_parts: int = 10_000
    least_copy: int = 512 << 20
    """Bytes that are copied at once, if that makes few enough copies."""
    most_copies: int = 1_100
    """Beside one more for each segment."""

    def place(self, number: int) -> Place:
        """Where a part of the object goes."""
        if number <= self.direct_parts:
            return Place(0, number)
        segment, rest = divmod(number - self.direct_parts - 1, self.segment_parts)
        return Place(segment + 1, rest + 1)

    def number(self, place: Place) -> int:
        """The reverse of `place`."""
        if place.segment == 0:
            return place.number
        return self.direct_parts + (place.segment - 1) * self.segment_parts + place.number

    def split(self, parts: Sequence[Part]) -> dict[int, list[Part]]:
        """Parts by their segments, numbered within them."""
        ordered = sorted(parts, key=lambda part: part.number)
        return {
            segment: [Part(self.place(part.number).number, part.size, part.tag) for part in group]
            for segment, group in groupby(ordered, lambda part: self.place(part.number).segment)
        }

    def copies(self, sizes: Sequence[int], part_size: int) -> Iterator[Copy]:
        """What to copy of segments of these sizes, from segment 1 on."""
        wanted = max(self.least_copy, -(-sum(sizes) // self.most_copies))
        step = -(-wanted // part_size) * part_size  # so that what is left of a segment is a part at least
        number = self.direct_parts
        for segment, size in enumerate(sizes, 1):
            for start in range(0, size, step):
                number += 1
                yield Copy(number, segment, start, min(size, start + step))

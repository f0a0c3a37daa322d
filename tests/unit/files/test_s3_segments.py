"""How the parts of large objects are spread over multipart uploads."""

import pytest

from chat4all_core.adapters.s3.segments import SegmentPlan
from chat4all_core.domain.file import MAX_FILE_BYTES
from chat4all_core.domain.upload import MAX_PART_BYTES, MIN_PART_BYTES, Part, part_count, part_range

S3_PARTS = 10_000
S3_COPY = 5 << 30
S3_LEAST_PART = 5 << 20
PLAN = SegmentPlan()


@pytest.mark.parametrize("part_size", [MIN_PART_BYTES, MAX_PART_BYTES])
def test_the_largest_file_fits_the_limits_of_s3(part_size: int) -> None:
    """5 TiB, in the smallest and in the largest parts, take no number above 10,000 and no copy above 5 GiB."""
    total = part_count(MAX_FILE_BYTES, part_size)
    last = PLAN.place(total)
    assert max(PLAN.direct_parts, PLAN.segment_parts, last.number) <= S3_PARTS
    rest = MAX_FILE_BYTES - PLAN.direct_parts * part_size
    segment = PLAN.segment_parts * part_size
    sizes = [min(segment, rest - start) for start in range(0, rest, segment)]
    assert len(sizes) == last.segment
    copies = list(PLAN.copies(sizes, part_size))
    assert copies[-1].number <= S3_PARTS
    lengths = [copy.end - copy.start for copy in copies]
    assert sum(lengths) == rest
    assert max(lengths) <= S3_COPY
    assert min(lengths) >= S3_LEAST_PART


def test_every_part_has_a_place_of_its_own() -> None:
    """Places and numbers are each other's reverse, at every border."""
    borders = [1, PLAN.direct_parts, PLAN.direct_parts + 1]
    borders += [PLAN.direct_parts + k * PLAN.segment_parts + d for k in (1, 2, 64) for d in (0, 1)]
    assert [PLAN.number(PLAN.place(number)) for number in borders] == borders
    assert len({PLAN.place(number) for number in borders}) == len(borders)


def test_copies_are_the_segments_in_order() -> None:
    """Put together, the ranges that are copied are all parts beyond the first ones, none of them twice."""
    plan = SegmentPlan(direct_parts=2, segment_parts=3, least_copy=20)
    size, part_size = 95, 10
    parts = [Part(n, part_range(n, size, part_size)[1], f"{n}") for n in range(part_count(size, part_size), 0, -1)]
    split = plan.split(parts)
    assert {k: [part.tag for part in group] for k, group in split.items()} == {
        0: ["1", "2"],
        1: ["3", "4", "5"],
        2: ["6", "7", "8"],
        3: ["9", "10"],
    }
    copies = list(plan.copies([30, 30, 15], part_size))
    assert [(c.number, c.segment, c.start, c.end) for c in copies] == [
        (3, 1, 0, 20),
        (4, 1, 20, 30),
        (5, 2, 0, 20),
        (6, 2, 20, 30),
        (7, 3, 0, 15),
    ]

"""ObjectStore: objects that are made in parts, and appear whole."""

import asyncio
import random
from collections.abc import Callable

import pytest

from chat4all_core.domain.upload import Part
from chat4all_core.ports.object_store import ObjectContradictionError, ObjectStore, StoreUpload

RANDOM = random.Random(1)
NewKey = Callable[[], str]


async def begin(store: ObjectStore, key: str, part_size: int) -> StoreUpload:
    return StoreUpload(key, await store.begin(key, part_size), part_size)


async def put(store: ObjectStore, upload: StoreUpload, number: int, data: bytes) -> Part:
    half = len(data) // 2
    return Part(number, len(data), await store.put_part(upload, number, [data[:half], data[half:]]))


async def make(store: ObjectStore, key: str, part_size: int, data: bytes) -> StoreUpload:
    upload = await begin(store, key, part_size)
    pieces = [data[i : i + part_size] for i in range(0, len(data), part_size)]
    parts = [await put(store, upload, n, piece) for n, piece in enumerate(pieces, 1)]
    await store.complete(upload, parts, len(data))
    return upload


async def read(store: ObjectStore, key: str, start: int, end: int) -> bytes:
    return b"".join([piece async for piece in store.read(key, start, end)])


async def exists(store: ObjectStore, key: str) -> bool:
    try:
        await read(store, key, 0, 1)
    except ObjectContradictionError:
        return False
    return True


async def test_an_object_is_its_parts(store: ObjectStore, new_key: NewKey, part_size: int) -> None:
    """Parts in any order, the last one shorter, make up the object; any range of it can be read."""
    key, data = new_key(), RANDOM.randbytes(2 * part_size + 12_345)
    upload = await begin(store, key, part_size)
    parts = [await put(store, upload, n, data[(n - 1) * part_size : n * part_size]) for n in (3, 1, 2)]
    assert not await exists(store, key)
    await store.complete(upload, sorted(parts, key=lambda part: part.number), len(data))
    for start, end in ((0, len(data)), (part_size - 5, part_size + 5), (len(data) - 1, len(data)), (7, 7)):
        assert await read(store, key, start, end) == data[start:end]


async def test_pieces_are_small(store: ObjectStore, new_key: NewKey, part_size: int) -> None:
    """However large the object, what is read comes in pieces of at most 1 MiB; a reader may stop early."""
    key = new_key()
    await make(store, key, part_size, bytes(part_size))
    assert max([len(piece) async for piece in store.read(key, 0, part_size)]) <= 1 << 20
    pieces = store.read(key, 0, part_size)
    await anext(pieces)
    await pieces.aclose()


async def test_an_object_may_be_empty(store: ObjectStore, new_key: NewKey, part_size: int) -> None:
    """No parts make an object of no bytes."""
    key = new_key()
    await make(store, key, part_size, b"")
    assert await read(store, key, 0, 0) == b""


async def test_a_part_may_be_stored_again(store: ObjectStore, new_key: NewKey, part_size: int) -> None:
    """The last bytes that were stored under a number are those of the part."""
    key = new_key()
    upload = await begin(store, key, part_size)
    await put(store, upload, 1, b"a" * 100)
    await store.complete(upload, [await put(store, upload, 1, b"b" * 100)], 100)
    assert await read(store, key, 0, 100) == b"b" * 100


async def test_completing_again_changes_nothing(store: ObjectStore, new_key: NewKey, part_size: int) -> None:
    """Whoever does not know whether it was completed completes it again."""
    key, data = new_key(), RANDOM.randbytes(1_000)
    upload = await begin(store, key, part_size)
    part = await put(store, upload, 1, data)
    for _ in range(3):
        await store.complete(upload, [part], len(data))
    assert await read(store, key, 0, len(data)) == data


async def test_a_tail_is_no_part(store: ObjectStore, new_key: NewKey, part_size: int) -> None:
    """Tails are kept for whoever goes on, longer and longer ones, and never show in the object."""
    key, data = new_key(), RANDOM.randbytes(part_size + 500)
    upload = await begin(store, key, part_size)
    first = await put(store, upload, 1, data[:part_size])
    for size in (100, 300, 400):
        tail = data[part_size : part_size + size]
        tag = await store.put_tail(upload, 2, [tail[:50], tail[50:]])
        assert await store.read_tail(upload, 2, tag, size) == tail
    await store.drop_tail(upload, 2, tag)
    await store.complete(upload, [first], part_size)
    assert await read(store, key, 0, part_size) == data[:part_size]
    with pytest.raises(ObjectContradictionError):
        await read(store, key, 0, part_size + 1)


async def test_an_upload_that_is_gone_takes_nothing(store: ObjectStore, new_key: NewKey, part_size: int) -> None:
    """After `abort` nothing can be stored or completed, and aborting again is nothing."""
    key = new_key()
    upload = await begin(store, key, part_size)
    part = await put(store, upload, 1, b"x" * 10)
    await store.abort(upload)
    await store.abort(upload)
    for late in (
        store.put_part(upload, 1, [b"y"]),
        store.put_tail(upload, 1, [b"y"]),
        store.complete(upload, [part], 10),
    ):
        with pytest.raises(ObjectContradictionError):
            await late
    assert not await exists(store, key)


async def test_aborting_leaves_the_object(store: ObjectStore, new_key: NewKey, part_size: int) -> None:
    """An upload that was completed can't be undone by aborting it; `delete` removes the object, once and again."""
    key = new_key()
    upload = await make(store, key, part_size, b"abc")
    await store.abort(upload)
    assert await read(store, key, 0, 3) == b"abc"
    await store.delete(key)
    await store.delete(key)
    assert not await exists(store, key)


async def test_missing_bytes_make_no_object(store: ObjectStore, new_key: NewKey, part_size: int) -> None:
    """Parts that were never stored, or do not make up the size, are refused."""
    key = new_key()
    upload = await begin(store, key, part_size)
    part = await put(store, upload, 1, b"x" * 10)
    for parts, size in (([part], 11), ([part, Part(2, 5, part.tag)], 15)):
        with pytest.raises(ObjectContradictionError):
            await store.complete(upload, parts, size)
    assert not await exists(store, key)


async def test_leftovers_are_found(store: ObjectStore, new_key: NewKey, part_size: int) -> None:
    """Objects and uploads under way are listed, and `remove_unfinished` removes the latter alone."""
    finished, open_, both = new_key(), new_key(), new_key()
    await make(store, finished, part_size, b"abc")
    upload = await begin(store, open_, part_size)
    await store.put_tail(upload, 1, [b"tail"])
    await make(store, both, part_size, b"abc")
    await begin(store, both, part_size)
    found = {(left.key, left.finished) async for left in store.leftovers()}
    assert {(finished, True), (open_, False), (both, True), (both, False)} <= found
    for key in (finished, open_, both):
        await store.remove_unfinished(key)
        await store.remove_unfinished(key)
    found = {(left.key, left.finished) async for left in store.leftovers()}
    assert {(finished, True), (both, True)} <= found
    assert not {(open_, False), (both, False)} & found


async def test_many_objects_at_once(store: ObjectStore, new_key: NewKey, part_size: int) -> None:
    """Uploads side by side do not touch each other."""
    objects = {new_key(): RANDOM.randbytes(1_000 + n) for n in range(30)}
    await asyncio.gather(*(make(store, key, part_size, data) for key, data in objects.items()))
    for key, data in objects.items():
        assert await read(store, key, 0, len(data)) == data


async def test_unknown_objects_are_told(store: ObjectStore, new_key: NewKey) -> None:
    """Reading what is not there is an error, not an empty file."""
    with pytest.raises(ObjectContradictionError):
        await read(store, new_key(), 0, 1)

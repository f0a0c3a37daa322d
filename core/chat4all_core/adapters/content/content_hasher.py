"""SHA-256 whose state can be stored, where OpenSSL is at hand; otherwise hashlib's, which starts anew each time."""

import _hashlib
import ctypes
import hashlib
import struct
from typing import TypeAlias

from chat4all_core.ports.content_hash import ContentHash, ContentHasher

_FORMAT = b"sha256-openssl-v1:"
# Of SHA256_CTX in openssl/sha.h, which is public: the chaining value, the length in bits, the block under way, how much
# of it is filled, the length of the sum. As numbers, for another machine may have another byte order.
_CONTEXT = struct.Struct("=8I 2I 64s 2I")
_STORED = struct.Struct(">8I 2I 64s 2I")

Function: TypeAlias = "ctypes._NamedFuncPointer"


def open_content_hasher() -> ContentHasher:
    """The best hasher of this machine."""
    # The library that Python's own hashlib stands on, so it is the same version and in memory already.
    try:
        library = ctypes.CDLL(_hashlib.__file__)
        return OpensslContentHasher(library.SHA256_Init, library.SHA256_Update, library.SHA256_Final)
    except (AttributeError, OSError):  # Python was built with OpenSSL inside, which shows no symbols
        return HashlibContentHasher()


class OpensslContentHasher:
    """Implements ContentHasher on OpenSSL's SHA256_… functions."""

    def __init__(self, init: Function, update: Function, final: Function) -> None:
        init.argtypes = [ctypes.c_void_p]
        update.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
        final.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
        self._init, self._update, self._final = init, update, final

    def new(self) -> ContentHash:
        """See ContentHasher.new."""
        context = ctypes.create_string_buffer(_CONTEXT.size)
        self._init(context)
        return _OpensslHash(context, self._update, self._final)

    def resume(self, state: bytes) -> ContentHash | None:
        """See ContentHasher.resume."""
        if len(state) != len(_FORMAT) + _STORED.size or not state.startswith(_FORMAT):
            return None
        values = _STORED.unpack_from(state, len(_FORMAT))
        packed = _CONTEXT.pack(*values)
        return _OpensslHash(ctypes.create_string_buffer(packed, _CONTEXT.size), self._update, self._final)


class _OpensslHash:
    def __init__(
        self,
        context: "ctypes.Array[ctypes.c_char]",
        update: Function,
        final: Function,
    ) -> None:
        self._context = context
        self._update = update
        self._final = final

    def update(self, data: bytes) -> None:
        self._update(self._context, data, len(data))

    def hexdigest(self) -> str:
        copy = ctypes.create_string_buffer(self._context.raw, len(self._context))
        digest = ctypes.create_string_buffer(32)
        self._final(digest, copy)
        return digest.raw.hex()

    def state(self) -> bytes:
        return _FORMAT + _STORED.pack(*_CONTEXT.unpack(self._context.raw))


class HashlibContentHasher:
    """Implements ContentHasher on hashlib, whose state can't be had."""

    def new(self) -> ContentHash:
        """See ContentHasher.new."""
        return _HashlibHash()

    def resume(self, state: bytes) -> ContentHash | None:
        """See ContentHasher.resume."""
        return None


class _HashlibHash:
    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def update(self, data: bytes) -> None:
        self._hash.update(data)

    def hexdigest(self) -> str:
        return self._hash.hexdigest()

    def state(self) -> bytes:
        return b""

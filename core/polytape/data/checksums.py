"""CRC-32C (Castagnoli), the checksum of TFRecord files.

Source:
    G. Castagnoli, S. Bräuer, M. Herrmann (1993), IEEE Transactions on Communications 41(6), pp. 883-892; RFC 3720,
    appendix B.4, has its test vectors. The masking is that of TensorFlow's ``tsl/lib/hash/crc32c.h``.

The package google-crc32c (the extra ``tfrecord``) is used if it is installed; otherwise, NumPy computes the same.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from .. import dtypes

__all__ = ["crc32c", "crc32c_by_tables", "masked_crc32c"]

_POLYNOMIAL: Final = 0x82F63B78  # reversed bits
_BLOCK: Final = 1024  # bytes per row of the tables: 1 MB of tables, which stay in the second-level cache
_BLOCKS: Final = 16  # blocks at once: their indices, 128 kB, stay in the second-level cache too
_SHORT: Final = 32  # bytes up to which a loop in Python is faster
_MASK_DELTA: Final = 0xA282EAD8


def _byte_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
        table.append(byte)
    return tuple(table)


_BYTES: Final = _byte_table()


@functools.cache
def _tables() -> tuple[Any, Any]:
    """What each byte adds to a checksum when ``d`` bytes follow it: flat tables for d = _BLOCK - 1 down to 0.

    And the four tables, one for each byte of a checksum, of what it becomes when _BLOCK zero bytes follow.
    """
    base = np.array(_BYTES, np.uint32)
    table = np.empty((_BLOCK, 256), np.uint32)
    table[_BLOCK - 1] = base
    for row in range(_BLOCK - 2, -1, -1):
        after = table[row + 1]
        table[row] = after >> 8 ^ base[after & 0xFF]
    # A checksum is XORed into the first four bytes of the data that follow it.
    shift = tuple(tuple(table[byte].tolist()) for byte in range(4))
    return table.reshape(-1), shift


def crc32c(data: bytes | memoryview) -> int:
    """The CRC-32C of bytes; 0xE3069283 for ``b"123456789"``."""
    compiled = _compiled()
    return compiled(bytes(data)) if compiled is not None else crc32c_by_tables(data)


@functools.cache
def _compiled() -> Callable[[bytes], int] | None:
    """The function of google-crc32c; None without it, or without its extension module, since its Python is slower."""
    try:
        import google_crc32c
    except ImportError:
        return None
    value: Callable[[bytes], int] = google_crc32c.value
    return value if google_crc32c.implementation == "c" else None


def crc32c_by_tables(data: bytes | memoryview) -> int:
    """The same number, computed by NumPy from tables of 1 MB."""
    n = len(data)
    crc = 0xFFFFFFFF
    head = n % _BLOCK if n > _SHORT else n
    if head > _SHORT:
        crc = _of_part(crc, data[:head])
    else:
        for byte in data[:head]:
            crc = crc >> 8 ^ _BYTES[(crc ^ byte) & 0xFF]
    if head < n:
        crc = _of_blocks(crc, data[head:])
    return crc ^ 0xFFFFFFFF


def _of_part(crc: int, data: bytes | memoryview) -> int:
    """The checksum of less than a block, from all its bytes at once: it is linear in them."""
    flat, _ = _tables()
    array = np.frombuffer(data, np.uint8).copy()
    array[:4] ^= np.frombuffer(crc.to_bytes(4, "little"), np.uint8)
    index = array + _offsets()[_BLOCK - len(array) :]
    return int(np.bitwise_xor.reduce(flat.take(index)))


def _of_blocks(crc: int, data: bytes | memoryview) -> int:
    flat, (first, second, third, fourth) = _tables()
    blocks = np.frombuffer(data, np.uint8).reshape(-1, _BLOCK)
    for start in range(0, len(blocks), _BLOCKS):
        values = np.bitwise_xor.reduce(flat.take(blocks[start : start + _BLOCKS] + _offsets()), axis=1)
        for value in values.tolist():
            crc = first[crc & 0xFF] ^ second[crc >> 8 & 0xFF] ^ third[crc >> 16 & 0xFF] ^ fourth[crc >> 24] ^ value
    return crc


@functools.cache
def _offsets() -> Any:
    return np.arange(_BLOCK, dtype=dtypes.int64) * 256


def masked_crc32c(data: bytes | memoryview) -> int:
    """The checksum as a TFRecord stores it: the CRC of data that contains CRCs would be weak."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF

"""CRC-32 checksums, computed by two threads while a file is read or written.

The CRC-32 is that of zlib (polynomial 0x04C11DB7, reflected). The packages isal and zlib-ng compute the same number
several times faster than most builds of zlib, so one of them is used if it is installed.
"""

from __future__ import annotations

import importlib
import os
import threading
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

__all__ = ["CHUNK_NBYTES", "Shared", "chunked", "combined", "crc32"]

CHUNK_NBYTES: Final = 1 << 21  # a chunk stays in the processor's cache; combining two checksums takes 10 us
_THREAD_NBYTES: Final = 1 << 22  # starting a thread takes as long as the checksum of 0.3 MB
_POLYNOMIAL: Final = 0xEDB88320


def _fastest() -> Callable[..., int]:
    for name in ("isal.isal_zlib", "zlib_ng.zlib_ng"):
        try:
            found: Callable[..., int] = importlib.import_module(name).crc32
        except ImportError:
            continue
        return found
    return zlib.crc32


crc32: Final = _fastest()  # of bytes, and the checksum of what is before them


class Shared:
    """Tasks that this thread and one other share, if they are worth a second thread.

    Args:
        tasks: functions that release the interpreter's lock, such as checksums and reads of large chunks. They may run
            twice.
        nbytes: how many bytes they process together.
    """

    __slots__ = ("_done", "_errors", "_tasks", "_thread", "_todo")

    def __init__(self, tasks: Sequence[Callable[[], None]], nbytes: int) -> None:
        self._tasks: Final = tasks
        self._todo: Final = deque(tasks)
        self._done: Final[list[None]] = []
        self._errors: Final[list[BaseException]] = []
        self._thread: threading.Thread | None = None
        if nbytes >= _THREAD_NBYTES and len(tasks) > 1 and _processors() > 1:
            # A daemon, so that an interrupted program can end: what the thread computes is of no use then.
            self._thread = threading.Thread(target=self._help, name="polytape-checksums", daemon=True)
            self._thread.start()

    def __repr__(self) -> str:
        return f"Shared({len(self._todo)} of {len(self._tasks)} tasks left)"

    def _help(self) -> None:
        try:
            self._work()
        except BaseException as error:  # `finish` raises it
            self._errors.append(error)

    def _work(self) -> None:
        while not self._errors:
            try:
                task = self._todo.popleft()
            except IndexError:
                return
            task()
            self._done.append(None)

    def finish(self) -> None:
        """Return when all tasks are done; raises the first error of one."""
        try:
            self._work()
        finally:
            self._todo.clear()
            if self._thread is not None:
                self._thread.join()
        if self._errors:
            raise self._errors[0]
        if len(self._done) < len(self._tasks):  # this is a forked child, in which the other thread does not run
            for task in self._tasks:
                task()


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def chunked(nbytes: int) -> list[tuple[int, int]]:
    """Where the chunks of ``nbytes`` bytes begin and end."""
    return [(begin, min(begin + CHUNK_NBYTES, nbytes)) for begin in range(0, nbytes, CHUNK_NBYTES)]


def combined(crcs: Sequence[int], nbytes: int) -> int:
    """The CRC-32 of ``nbytes`` bytes from those of their chunks.

    Source: zlib, crc32_combine: appending n bytes multiplies a CRC by x^(8n) modulo the polynomial.
    """
    if not crcs:
        return 0
    whole = crcs[0]
    for number, crc in enumerate(crcs[1:], 1):
        whole = _product(_power(min(CHUNK_NBYTES, nbytes - number * CHUNK_NBYTES)), whole) ^ crc
    return whole


@lru_cache(maxsize=100)
def _power(nbytes: int) -> int:
    """x^(8 * nbytes) modulo the polynomial."""
    power, square, exponent = 1 << 31, 1 << 30, 8 * nbytes  # 1 and x, whose bits are reflected
    while exponent:
        if exponent & 1:
            power = _product(square, power)
        square = _product(square, square)
        exponent >>= 1
    return power


def _product(a: int, b: int) -> int:
    product = 0
    for bit in range(31, -1, -1):
        if a >> bit & 1:
            product ^= b
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)
    return product

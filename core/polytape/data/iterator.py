"""Iterator: passes over a dataset, whose position a checkpoint saves."""

from __future__ import annotations

import os
import threading
import weakref
import zlib
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from .. import dtypes
from ..errors import DataError, TraceError
from ..placement import selection
from ..random import integers
from ..state.trackable import Trackable
from ..tensors.scope import current_scope
from ..tensors.variable import Variable
from .prefetching import destination, placed
from .streams import END, Node, Opening, Session, Stream

__all__ = ["Iterator"]

_KEYS: Final = 2**62


class Iterator(Trackable):
    """Passes over the elements of a dataset, one for each ``for`` loop; a checkpoint saves where it is.

    `Dataset.iterator` makes one. A loop over it continues the current pass; at the end of a pass `epoch` is one more,
    and the next loop begins the next pass. After a restore it continues with the element that follows the last one
    before the save: it opens the pipeline at that position again, so elements that were computed ahead are not lost.

    Attributes:
        state: int64[4] variable on the host: the epoch, the number of elements it has given in this epoch, the key of
            the shuffles that have no seed, and a checksum of the pipeline's steps.

    Example:
        >>> import polytape as pt
        >>> it = pt.data.Dataset.range(4).iterator()
        >>> next(it).item(), it.epoch, it.position
        (0, 0, 1)
    """

    _untracked = ("_default", "_finish", "_lock", "_node", "_seen", "_session", "_stream")

    def __init__(self, node: Node, epoch: int = 0, seed: int | None = None) -> None:
        host = selection.host_device()
        key = 0 if seed is None else seed
        if seed is None and node.draws():
            key = int(integers(0, _KEYS, shape=(), dtype=dtypes.int64, device=host))
        self._node = node
        self._checksum = zlib.crc32(node.fingerprint().encode())
        values = np.asarray([epoch, 0, key, self._checksum], dtypes.int64)
        self.state = Variable(values, trainable=False, name="data_position", device=host)
        self._default = selection.default_device()
        self._lock = threading.RLock()
        self._stopped = False
        self._session: Session | None = None
        self._stream: Stream | None = None
        self._seen: Any = None  # the array of the state that the stream has reached
        self._process = os.getpid()
        self._finish: Callable[[], Any] | None = None

    def __repr__(self) -> str:
        return f"Iterator(epoch={self.epoch}, position={self.position})"

    @property
    def epoch(self) -> int:
        """The number of passes that have ended."""
        return int(self.state.numpy()[0])

    @property
    def position(self) -> int:
        """The number of elements that the iterator has given in this pass."""
        return int(self.state.numpy()[1])

    def __iter__(self) -> Iterator:
        self._stopped = False
        return self

    def __next__(self) -> Any:
        if current_scope.get().trace is not None:
            raise TraceError(
                "next() of a data iterator is called inside a traced function.",
                expected="elements as arguments of the function",
                got="a call that a graph would not repeat",
                fix="loop over the data outside, and pass each element to the function",
            )
        with self._lock:
            state = self.state.array
            if state is not self._seen or self._process != os.getpid():
                self._seek(state)
            elif self._stopped:
                raise StopIteration
            elif self._stream is None:
                self._seek(state)
            epoch, position, key, checksum = state.tolist()
            try:
                element = self._pull()
                if element is not END:
                    self._move(state, [epoch, position + 1, key, checksum])
                    return element
                self._drop()
                self._move(state, [epoch + 1, 0, key, checksum])
            except BaseException:
                # Also Ctrl-C, which may come anywhere: the next call opens the pipeline at the position in the state.
                self._drop()
                raise
            self._stopped = True
            raise StopIteration

    def close(self) -> None:
        """End threads and worker processes, and close files; the next element opens them again."""
        finish = self._finish
        if finish is not None:
            finish()  # before the lock is taken: another thread may hold it while it waits for an element
        with self._lock:
            self._drop()
            self._session = self._finish = None

    def __enter__(self) -> Iterator:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __reduce__(self) -> Any:
        raise TypeError("a data iterator cannot be copied or pickled: save it in a checkpoint, or make another one")

    def _move(self, before: Any, values: list[int]) -> None:
        """Write the next position, unless a restore has just written another one."""
        after = self.state.type.backend.from_host(np.asarray(values, dtypes.int64), self.state.device)
        if self.state._replace(before, after):
            self._seen = after

    def _pull(self) -> Any:
        session, stream = self._session, self._stream
        if session is None or stream is None:
            raise AssertionError("the stream is open here")
        element = session.variables.run(stream.next)
        return element if element is END else self._delivered(element, session)

    def _delivered(self, element: Any, session: Session) -> Any:
        """The element in tensors on the device of this iterator, or where `Dataset.to` has put them."""
        if session.placed or session.target is session.work:
            return session.delivering.tensors(element)
        return placed(element, session.delivering)

    def _drop(self) -> None:
        """Close the stream; the next element opens another one."""
        stream, self._stream, self._seen = self._stream, None, None
        if stream is not None:
            stream.close()

    def _seek(self, state: Any) -> None:
        """Open the pipeline at the position in ``state``."""
        if self._process != os.getpid():
            # The threads and processes are the parent's; a fork has copied only what refers to them.
            self._process = os.getpid()
            if self._finish is not None:
                self._finish.detach()  # type: ignore[attr-defined]  # it is a weakref.finalize
            self._session = self._stream = self._finish = None
        self._drop()
        epoch, position, key, checksum = state.tolist()
        if checksum != self._checksum:
            raise DataError(
                "the position was saved by an iterator over another dataset.",
                expected="the same steps with the same sizes and seeds, in the same order",
                got=self._node.fingerprint(),
                fix="build the dataset as before, or leave the iterator out of the checkpoint",
            )
        if self._session is None:
            self._session = Session(destination(self._node, self._default), self._default)
            self._finish = weakref.finalize(self, self._session.close)
        session = self._session
        session.key = key
        try:
            stream = session.variables.run(self._node.open, Opening(session, (epoch,)))
            self._stream = stream
            if position:
                session.variables.run(stream.skip, position)
        except BaseException:
            self._drop()
            raise
        self._seen = state
        self._stopped = False

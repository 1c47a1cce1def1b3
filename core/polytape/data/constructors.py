"""Sources: the methods of Dataset that make one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self

from . import csv
from .files import Lines, check_compression, matching
from .ordering import Zip
from .sources import Generated, Range, Slices
from .streams import Node, positive
from .structures import map_leaves, normalised
from .tfrecord import TFRecords

__all__ = ["Sources"]


class Sources:
    """The part of `Dataset` that makes datasets.

    Args:
        node: the last step.
    """

    def __init__(self, node: Node) -> None:
        self._node = node

    @classmethod
    def from_tensor_slices(cls, tensors: Any) -> Self:
        """The rows of arrays.

        Args:
            tensors: a tensor, an array, a list of strings, or a tuple or dict of these, with first axes of one length.
                NumPy arrays are not copied: they may be memory-mapped, and must not change while they are read.
        Raises:
            ShapeError: the lengths differ.
        """
        return cls(Slices(tensors))

    @classmethod
    def from_tensors(cls, tensors: Any) -> Self:
        """One element."""
        element = normalised(tensors)
        return cls(Generated(lambda: [element], 1))

    @classmethod
    def from_generator(cls, function: Callable[[], Iterable[Any]], *, length: int | None = None) -> Self:
        """What the iterable ``function()`` gives; each pass calls it again.

        A restored iterator reads and drops the items before its position, so the items must be the same each time.

        Args:
            function: for example a generator function.
            length: the number of items, if it is known.
        """
        return cls(Generated(function, None if length is None else positive("from_generator", "length", length, 0)))

    @classmethod
    def range(cls, *args: int) -> Self:
        """The numbers of Python's ``range(*args)``, as int64[]."""
        return cls(Range(range(*args)))

    @classmethod
    def from_text(cls, paths: Any, *, encoding: str = "utf-8", compression: str | None = "auto") -> Self:
        """The lines of text files as str, without line ends.

        Args:
            paths: one path or several.
            encoding: of the files, one in which a line feed is the byte 10.
            compression: "gzip", None, or "auto" for files that begin as gzip does.
        Raises:
            DataError: in a loop: a line is not text in this encoding; it names file, line and byte.
        """
        check_compression("from_text", compression)
        return cls(Lines(paths, compression, encoding))

    @classmethod
    def from_csv(
        cls,
        paths: Any,
        columns: Mapping[str, Any] | Sequence[Any] | None = None,
        *,
        header: bool = True,
        missing: Any = None,
        delimiter: str = ",",
        encoding: str = "utf-8",
        compression: str | None = "auto",
    ) -> Self:
        """The rows of CSV files.

        Args:
            paths: one path or several.
            columns: a dtype, or ``str``, by the name of each column that is wanted, or for all columns in order.
                Default: float32 for all.
            header: whether the first row of each file has the names. If not, elements are tuples, else dicts.
            missing: the value of empty fields; default: they are errors.
            delimiter, encoding, compression: of the files; see `from_text`.
        Raises:
            DataError: in a loop: a row has a field that its dtype cannot hold, or another number of fields; it names
                file, row and byte.
        Source:
            RFC 4180.
        """
        check_compression("from_csv", compression)
        return cls(csv.Rows(paths, compression, columns, header, missing, delimiter, encoding))

    @classmethod
    def from_tfrecord(cls, paths: Any, *, compression: str | None = "auto", verify: bool = True) -> Self:
        """The records of TFRecord files as bytes; `polytape.data.parse_example` reads a ``tf.train.Example``.

        Args:
            paths: one path or several.
            compression: "gzip", None, or "auto" for files that begin as gzip does.
            verify: whether to check the records' checksums. Those of their lengths are always checked.
        Raises:
            DataError: in a loop: a record is damaged; it names file, record and byte.
        Source:
            TensorFlow's guide "TFRecord and tf.train.Example".
        """
        check_compression("from_tfrecord", compression)
        return cls(TFRecords(paths, compression, verify))

    @classmethod
    def files(cls, pattern: Any) -> Self:
        """The paths that match a pattern with ``*``, ``?``, ``[]`` and ``**``, sorted, as str.

        Raises:
            DataError: none does.
        """
        return cls(Slices(matching(pattern)))

    @classmethod
    def zip(cls, datasets: Any) -> Self:
        """Elements of several datasets side by side, as many as the shortest has.

        Args:
            datasets: a tuple or dict of datasets, nested to any depth.
        """
        return cls(Zip(map_leaves(lambda leaf: leaf._node if isinstance(leaf, Sources) else leaf, datasets)))

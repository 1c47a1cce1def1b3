"""Rows of CSV files, with one dtype for each column.

Source:
    RFC 4180; Python's ``csv`` module reads the rows.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any

import numpy as np

from .. import dtypes
from ..errors import DataError, PolytapeError, SettingError
from .files import FileNode, FileRecords, LineReader, damaged
from .streams import END

__all__ = ["Rows"]


class Rows(FileNode):
    """The rows of CSV files.

    Args:
        columns: dtype by name, or dtypes in order; ``str`` for text. None reads every column as float32.
        header: whether the first row of each file has the names.
        missing: the value of an empty field; None makes it an error.
        delimiter: between two fields.
        encoding: of the files.
    """

    def __init__(
        self,
        paths: Any,
        compression: str | None,
        columns: Mapping[str, Any] | Sequence[Any] | None,
        header: bool,
        missing: Any,
        delimiter: str,
        encoding: str,
    ) -> None:
        super().__init__(paths, compression)
        if isinstance(columns, Mapping) and not header:
            raise SettingError(
                "from_csv needs names for columns by name.",
                expected="header=True, or a list of dtypes",
                got=f"header=False and {list(columns)}",
                fix="pass the dtypes as a list, in the order of the columns",
            )
        self.header, self.missing, self.delimiter, self.encoding = header, missing, delimiter, encoding
        self.columns = columns

    def describe(self) -> str:
        """As `Node.describe`."""
        return f"{super().describe()}({self.columns}, {self.header})"

    def records(self, path: str, file: IO[bytes], seekable: bool) -> FileRecords:
        """As `FileNode.records`."""
        return _RowReader(self, LineReader(path, file, self.encoding))


class _RowReader(FileRecords):
    def __init__(self, node: Rows, lines: LineReader) -> None:
        self._node, self._lines = node, lines
        self._rows = csv.reader(lines, delimiter=node.delimiter, strict=True)
        self._number = 0
        self._names = self._read() if node.header else None
        self._columns: list[tuple[str, int, Callable[[str], Any]]] | None = None
        self._width = 0

    def next(self) -> Any:
        offset = self._lines.offset
        row = self._read()
        while row == []:  # a blank line
            offset = self._lines.offset
            row = self._read()
        if row is None:
            return END
        if self._columns is None:
            self._columns = self._converters(len(row) if self._names is None else len(self._names))
        if len(row) != self._width:
            raise self._bad(offset, "it has another number of fields", f"{self._width} fields", f"{len(row)}: {row}")
        values = [self._value(row[index], name, convert, offset) for name, index, convert in self._columns]
        self._number += 1
        if self._names is None:
            return tuple(values)
        return dict(zip([name for name, _, _ in self._columns], values, strict=True))

    def _read(self) -> list[str] | None:
        offset = self._lines.offset
        try:
            return next(self._rows, None)
        except csv.Error as error:
            raise self._bad(offset, "it is not CSV", "fields as in RFC 4180", str(error)) from None

    def _converters(self, width: int) -> list[tuple[str, int, Callable[[str], Any]]]:
        """Name, position and conversion of each column that is wanted."""
        self._width = width
        columns, names = self._node.columns, self._names or [str(i) for i in range(width)]
        if len(set(names)) < len(names):
            raise DataError(
                f"{self._lines.path}: two columns have the same name.",
                expected="different names",
                got=", ".join(names),
                fix="pass header=False and a list of dtypes, after removing the first line",
            )
        if isinstance(columns, Mapping):
            missing = [name for name in columns if name not in names]
            if missing:
                raise DataError(
                    f"{self._lines.path} has no column {missing[0]!r}.",
                    expected=f"one of {', '.join(names)}",
                    got=repr(missing[0]),
                    fix="use the names of the header",
                )
            return [(name, names.index(name), _converter(dtype)) for name, dtype in columns.items()]
        if columns is not None and len(columns) != width:
            raise DataError(
                f"{self._lines.path} has {width} columns.",
                expected=f"{len(columns)} columns, as many as dtypes",
                got=f"{width}: {', '.join(names)}",
                fix="give one dtype for each column",
            )
        wanted = ["float32"] * width if columns is None else columns
        return [(name, i, _converter(dtype)) for i, (name, dtype) in enumerate(zip(names, wanted, strict=True))]

    def _value(self, text: str, name: str, convert: Callable[[str], Any], offset: int) -> Any:
        if text == "" and convert is not str:
            if self._node.missing is None:
                raise self._bad(offset, f"its column {name!r} is empty", "a number", "''", "pass missing=")
            text = str(self._node.missing)
        try:
            return convert(text)
        except (ValueError, OverflowError) as error:
            expected = "a value of the column's dtype"
            raise self._bad(offset, f"its column {name!r} cannot be read", expected, f"{text!r}: {error}") from None

    def _bad(self, offset: int, reason: str, expected: str, got: str, fix: str = "") -> PolytapeError:
        return damaged(self._lines.path, self._number, offset, reason, expected=expected, got=got, fix=fix)


def _converter(dtype: Any) -> Callable[[str], Any]:
    if dtype is str or dtype == "str":
        return str
    target = dtypes.lookup(dtype)
    parse: Callable[[str], Any] = float
    if dtypes.category(target) == dtypes.INTEGER:
        parse = int
    elif dtypes.category(target) == dtypes.COMPLEX:
        parse = complex
    elif target == dtypes.bool_:
        parse = _parse_bool
    return lambda text: np.asarray(parse(text.strip()), target)


def _parse_bool(text: str) -> bool:
    try:
        return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
    except KeyError:
        raise ValueError("not true, false, 1 or 0") from None

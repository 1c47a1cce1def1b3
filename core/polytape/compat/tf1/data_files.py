"""Datasets that read files."""

from __future__ import annotations

import os
from collections.abc import Iterator as AnyIterator
from typing import Any

from ... import data as native
from ..op_errors import invalid
from .data_pipelines import Dataset

__all__ = ["FixedLengthRecordDataset", "TFRecordDataset", "TextLineDataset"]


class TextLineDataset(Dataset):
    """The lines of text files as strings, without line ends.

    Args:
        filenames: one path or several.
        compression_type: "" or "GZIP".
        buffer_size: accepted for compatibility, and ignored.
    """

    _has_strings = True

    def __init__(self, filenames: Any, compression_type: str | None = None, buffer_size: int | None = None) -> None:
        super().__init__(native.Dataset.from_text(_paths(filenames), compression=_compression(compression_type)))


class TFRecordDataset(Dataset):
    """The records of TFRecord files as strings.

    Args:
        filenames: one path or several.
        compression_type: "" or "GZIP".
        buffer_size: accepted for compatibility, and ignored.
    """

    _has_strings = True

    def __init__(self, filenames: Any, compression_type: str | None = None, buffer_size: int | None = None) -> None:
        super().__init__(native.Dataset.from_tfrecord(_paths(filenames), compression=_compression(compression_type)))


class FixedLengthRecordDataset(Dataset):
    """Records of ``record_bytes`` bytes each, as strings.

    Args:
        filenames: one path or several.
        record_bytes: the length of a record.
        header_bytes, footer_bytes: what is skipped at the beginning and the end of each file.
        buffer_size: accepted for compatibility, and ignored.

    Raises:
        InvalidArgumentError: in a loop: a file does not hold a whole number of records.
    """

    _has_strings = True

    def __init__(
        self,
        filenames: Any,
        record_bytes: int,
        header_bytes: int | None = None,
        footer_bytes: int | None = None,
        buffer_size: int | None = None,
    ) -> None:
        paths, size, header, footer = _paths(filenames), int(record_bytes), header_bytes or 0, footer_bytes or 0

        def records() -> AnyIterator[bytes]:
            for path in paths:
                with open(path, "rb") as file:
                    length = os.fstat(file.fileno()).st_size - header - footer
                    if length < 0 or length % size:
                        raise invalid(
                            f"Excess bytes: {path!r} does not hold whole records.",
                            expected=f"{header} bytes, records of {size} bytes, {footer} bytes",
                            got=f"{length + header + footer} bytes",
                            fix="correct record_bytes, header_bytes or footer_bytes",
                        )
                    file.seek(header)
                    for _ in range(length // size):
                        yield file.read(size)

        super().__init__(native.Dataset.from_generator(records))


def _paths(filenames: Any) -> list[str]:
    listed = filenames if isinstance(filenames, (list, tuple)) else [filenames]
    return [os.fsdecode(bytes(path)) if isinstance(path, bytes) else os.fspath(path) for path in listed]


def _compression(kind: Any) -> str | None:
    if kind not in (None, "", "GZIP"):
        raise ValueError(f"compression_type {kind!r} is not implemented: expected '' or 'GZIP'")
    return "gzip" if kind == "GZIP" else None

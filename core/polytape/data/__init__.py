"""Data pipelines: a `Dataset` describes what is read and in which order, an iterator has the position.

`structures` and `specs` hold what an element is, `streams` what a step is. `sources`, `files`, `csv` and `tfrecord`
(with `checksums` and `examples`) read; `ordering`, `repeating`, `batching`, `mapping`, `caching` and `prefetching` are
the steps; `workers` runs functions in threads and processes. `iterator` and `dataset` hold what users call. Why it is
so: docs/decisions/0011-data.md.

May import: `device`, `dispatch`, `dtypes`, `errors`, `foreign_names`, `placement`, `random`, `registry`,
`state`, `tensors`.
"""

from __future__ import annotations

from .dataset import Dataset
from .examples import parse_example, write_example
from .iterator import Iterator
from .specs import TensorSpec
from .tfrecord import TFRecordWriter

__all__ = ["Dataset", "Iterator", "TFRecordWriter", "TensorSpec", "parse_example", "write_example"]


def __getattr__(name: str) -> object:
    from ..foreign_names import unknown

    raise unknown("data", name)

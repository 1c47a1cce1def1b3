"""``tf.data.Dataset``, over `polytape.data.Dataset`."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator as AnyIterator
from typing import Any

import numpy as np

from ... import data as native
from ...dispatch.convert import asarray, cast
from ...dtypes import lookup
from ...tensors.tensor import Tensor
from ..mode import building, need_eager
from ..op_errors import invalid
from .data_iterators import Iterator
from .data_strings import StringTensor, with_strings, without_strings
from .data_turns import InterleaveByTurns
from .dtypes import as_dtype
from .shapes import TensorShape
from .tables import adapter, switched

__all__ = ["Dataset"]


class Dataset:
    """A sequence of elements, described by a source and the steps that follow it; see `polytape.data.Dataset`.

    An element is a tensor, or a tuple or dict of these. Strings are `bytes` with the methods of a tensor that make
    sense for them.

    Args:
        inner: polytape's dataset.
    """

    _has_strings = False  # whether it is made from files, so that its elements are strings

    def __new__(cls, *args: Any, **kwargs: Any) -> Dataset:
        """A dataset; in graph mode a description of one, with which a run makes it."""
        if not (building() and cls._has_strings):
            return super().__new__(cls)
        found: Dataset = importlib.import_module("polytape.compat.tf1.graph.datasets").strings(cls, *args, **kwargs)
        return found

    def __init__(self, inner: native.Dataset) -> None:
        need_eager("data.Dataset")
        self._inner = inner

    def __repr__(self) -> str:
        return f"<{type(self).__name__} shapes: {self.output_shapes}, types: {self.output_types}>"

    # --- sources ------------------------------------------------------------------------------------------------------

    @staticmethod
    @switched("datasets")
    def from_tensors(tensors: Any) -> Dataset:
        """One element."""
        return Dataset(native.Dataset.from_tensors(without_strings(tensors)))

    @staticmethod
    @switched("datasets")
    def from_tensor_slices(tensors: Any) -> Dataset:
        """The rows of arrays.

        Raises:
            ValueError: their numbers of rows differ.
        """
        return Dataset(native.Dataset.from_tensor_slices(without_strings(tensors)))

    @staticmethod
    @switched("datasets")
    def from_generator(generator: Callable[[], Any], output_types: Any, output_shapes: Any = None) -> Dataset:
        """What the iterable ``generator()`` gives.

        Args:
            generator: a function without arguments; each pass calls it.
            output_types: a dtype for each part of an element, which its values get.
            output_shapes: accepted for compatibility, and ignored.
        Raises:
            TypeError: ``generator`` is not a function.
        """
        if not callable(generator):
            raise TypeError("`generator` must be callable.")

        def items() -> AnyIterator[Any]:
            for item in generator():
                yield _typed(item, output_types)

        return Dataset(native.Dataset.from_generator(items))

    @staticmethod
    @switched("datasets")
    def range(*args: Any) -> Dataset:
        """The numbers of Python's ``range(*args)``, as int64[]."""
        return Dataset(native.Dataset.range(*[int(x) for x in args]))

    @staticmethod
    @switched("datasets")
    def zip(datasets: Any) -> Dataset:
        """Elements of several datasets side by side, as many as the shortest has."""
        return Dataset(native.Dataset.zip(_inner_of(datasets)))

    @staticmethod
    @switched("datasets")
    def list_files(file_pattern: Any, shuffle: bool | None = None) -> Dataset:
        """The paths that match a pattern, as strings, sorted; in random order if ``shuffle`` is True."""
        pattern = file_pattern.decode() if isinstance(file_pattern, bytes) else str(file_pattern)
        found = native.Dataset.files(pattern)
        return Dataset(found.shuffle() if shuffle else found)

    # --- steps --------------------------------------------------------------------------------------------------------

    @adapter
    def map(self, map_func: Callable[..., Any], num_parallel_calls: int | None = None) -> Dataset:
        """``map_func(element)`` for each element; a tuple's parts are its arguments.

        Args:
            map_func: the function.
            num_parallel_calls: how many elements are computed at the same time, in threads.
        """
        workers = 0 if num_parallel_calls is None else int(num_parallel_calls)
        return Dataset(self._inner.map(_calling(map_func), num_workers=workers))

    @adapter
    def flat_map(self, map_func: Callable[..., Any]) -> Dataset:
        """The elements of the datasets ``map_func(element)``, one dataset after the other."""
        return Dataset(self._inner.flat_map(_opening(map_func)))

    @adapter
    def interleave(self, map_func: Callable[..., Any], cycle_length: int, block_length: int = 1) -> Dataset:
        """The elements of the datasets ``map_func(element)``, from ``cycle_length`` of them by turns."""
        cycle, block = int(cycle_length), int(block_length)
        plain: Any = self._inner.interleave(_opening(map_func), cycle_length=cycle, block_length=block)
        return Dataset(native.Dataset(InterleaveByTurns(self._inner._node, plain._node._function, cycle, block)))

    @adapter
    def filter(self, predicate: Callable[..., Any]) -> Dataset:
        """The elements for which ``predicate(element)`` is true."""
        return Dataset(self._inner.filter(_calling(predicate)))

    @adapter
    def batch(self, batch_size: int) -> Dataset:
        """``batch_size`` elements each as one, along a new first axis; the last may be smaller."""
        return Dataset(self._inner.batch(_batch_size(batch_size)))

    @adapter
    def padded_batch(self, batch_size: int, padded_shapes: Any, padding_values: Any = None) -> Dataset:
        """As `batch`, with elements of different sizes padded at the ends of their axes.

        Args:
            batch_size: the number of elements.
            padded_shapes: a shape for each part of an element; None or -1 means the largest size in the batch.
            padding_values: a number for each part; default: 0.
        """
        spec = self._inner.element_spec
        values = 0 if padding_values is None else _matched(spec, padding_values, _number)
        return Dataset(
            self._inner.padded_batch(
                _batch_size(batch_size), padded_shapes=_matched(spec, padded_shapes, _shape), padding_value=values
            )
        )

    @adapter
    def shuffle(
        self, buffer_size: int, seed: int | None = None, reshuffle_each_iteration: bool | None = None
    ) -> Dataset:
        """The elements in random order.

        Args:
            buffer_size: how many elements are held to draw from; elements that can be read by position are permuted
                as a whole.
            seed: of the order.
            reshuffle_each_iteration: whether each pass has another order; default: True.
        """
        again = True if reshuffle_each_iteration is None else bool(reshuffle_each_iteration)
        return Dataset(self._inner.shuffle(int(buffer_size), seed=None if seed is None else int(seed), reshuffle=again))

    @adapter
    def repeat(self, count: int | None = None) -> Dataset:
        """The elements ``count`` times; without end for None and -1."""
        return Dataset(self._inner.repeat(None if count is None or int(count) < 0 else int(count)))

    @adapter
    def take(self, count: int) -> Dataset:
        """The first ``count`` elements; all for -1."""
        return self if int(count) < 0 else Dataset(self._inner.take(int(count)))

    @adapter
    def skip(self, count: int) -> Dataset:
        """All elements but the first ``count``; none for -1."""
        return Dataset(self._inner.take(0) if int(count) < 0 else self._inner.skip(int(count)))

    @adapter
    def shard(self, num_shards: int, index: int) -> Dataset:
        """Every ``num_shards``-th element, from number ``index``."""
        return Dataset(self._inner.shard(int(num_shards), int(index)))

    @adapter
    def concatenate(self, dataset: Dataset) -> Dataset:
        """The elements of this dataset, then those of the other."""
        return Dataset(self._inner.concatenate(dataset._inner))

    @adapter
    def prefetch(self, buffer_size: int) -> Dataset:
        """The same elements, with up to ``buffer_size`` computed ahead in a thread."""
        return self if int(buffer_size) < 1 else Dataset(self._inner.prefetch(int(buffer_size)))

    @adapter
    def cache(self, filename: str = "") -> Dataset:
        """The same elements, computed in the first pass and then kept in memory or in a file."""
        return Dataset(self._inner.cache(os.fspath(filename) or None))

    def apply(self, transformation_func: Callable[[Dataset], Dataset]) -> Dataset:
        """``transformation_func(self)``.

        Raises:
            TypeError: it returns no dataset.
        """
        dataset = transformation_func(self)
        if not isinstance(dataset, Dataset):
            raise TypeError("`transformation_func` must return a Dataset.")
        return dataset

    # --- iterators ----------------------------------------------------------------------------------------------------

    def make_one_shot_iterator(self) -> Iterator:
        """A `tfe.Iterator`."""
        return Iterator(self)

    def make_initializable_iterator(self, shared_name: str | None = None) -> Iterator:
        """Raise RuntimeError: in eager mode, an iterator is ready when it is made."""
        raise RuntimeError(
            "dataset.make_initializable_iterator is not supported when eager execution is enabled: use "
            "tfe.Iterator(dataset)."
        )

    def __iter__(self) -> Iterator:
        return Iterator(self)

    # --- what an element is -------------------------------------------------------------------------------------------

    @property
    def output_types(self) -> Any:
        """The dtype of each part of an element."""
        return _spec_of(self._inner.element_spec, lambda spec: as_dtype(spec.dtype))

    @property
    def output_shapes(self) -> Any:
        """The shape of each part of an element."""
        return _spec_of(self._inner.element_spec, lambda spec: TensorShape(spec.shape))

    @property
    def output_classes(self) -> Any:
        """The class of each part of an element."""
        return _spec_of(self._inner.element_spec, lambda spec: Tensor)


def _calling(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*parts: Any) -> Any:
        return without_strings(function(*[with_strings(part) for part in parts]))

    return call


def _opening(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*parts: Any) -> Any:
        dataset = function(*[with_strings(part) for part in parts])
        if not isinstance(dataset, Dataset):
            raise TypeError("`map_func` must return a `Dataset` object.")
        return dataset._inner

    return call


def _inner_of(datasets: Any) -> Any:
    if isinstance(datasets, dict):
        return {key: _inner_of(part) for key, part in datasets.items()}
    if isinstance(datasets, tuple):
        return tuple(_inner_of(part) for part in datasets)
    if not isinstance(datasets, Dataset):
        raise TypeError(
            "The argument to `Dataset.zip()` must be a nested structure of `Dataset` objects, such as a tuple."
        )
    return datasets._inner


def _typed(item: Any, types: Any) -> Any:
    if isinstance(types, dict):
        return {key: _typed(item[key], part) for key, part in types.items()}
    if isinstance(types, (tuple, list)):
        return tuple(_typed(part, kind) for part, kind in zip(item, types, strict=True))
    if isinstance(item, (str, bytes)):
        return item
    return cast(asarray(np.asarray(item) if not isinstance(item, Tensor) else item), lookup(types))


def _batch_size(value: Any) -> int:
    size = int(value)
    if size < 1:
        raise invalid("Batch size must be greater than zero.", expected="1 or more", got=str(size), fix="raise it")
    return size


def _matched(spec: Any, given: Any, leaf: Callable[[Any], Any]) -> Any:
    """``leaf`` of the part of ``given`` for each part of an element."""
    if isinstance(spec, dict):
        return {key: _matched(part, given[key], leaf) for key, part in spec.items()}
    if isinstance(spec, tuple) and not hasattr(spec, "dtype"):
        return tuple(_matched(part, value, leaf) for part, value in zip(spec, given, strict=True))
    return leaf(given)


def _shape(shape: Any) -> tuple[int | None, ...]:
    sizes = shape.tolist() if isinstance(shape, (Tensor, np.ndarray)) else TensorShape(shape).as_list()
    return tuple(None if size is None or size < 0 else int(size) for size in sizes)


def _number(value: Any) -> Any:
    return value if isinstance(value, (str, bytes)) else asarray(value).numpy().item()


def _spec_of(spec: Any, leaf: Callable[[Any], Any]) -> Any:
    if isinstance(spec, dict):
        return {key: _spec_of(part, leaf) for key, part in spec.items()}
    if isinstance(spec, tuple) and not hasattr(spec, "dtype"):
        return tuple(_spec_of(part, leaf) for part in spec)
    return leaf(spec) if hasattr(spec, "dtype") else StringTensor

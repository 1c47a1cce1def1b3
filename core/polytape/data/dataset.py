"""Dataset: the description of a data pipeline."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator as AnyIterator
from typing import Any

from ..device import Device
from ..errors import DTypeError, SettingError
from ..placement import selection
from .batching import Batch, PaddedBatch, Unbatch, Window
from .caching import FileCache, MemoryCache
from .constructors import Sources
from .iterator import Iterator
from .mapping import Filter, Map
from .ordering import Concatenate, Shuffle, Strided
from .prefetching import Place, Prefetch
from .repeating import Interleave, Repeat
from .sources import Range
from .streams import INFINITE, Node, Opening, positive

__all__ = ["Dataset"]


class Dataset(Sources):
    """A sequence of elements, described by a source and the steps that follow it; nothing is read before a loop.

    An element is a tensor, another object such as a string, or a tuple or dict of these, nested to any depth. A list
    is not such a structure: one of numbers becomes a tensor. Functions get tensors on the host, and a tuple's parts
    as their arguments. The methods return new datasets; a dataset does not change.

    Each loop is a pass. The orders of all passes depend on seeds and on their numbers alone, and are the same on every
    backend. `iterator` gives an object whose position a checkpoint saves.

    If all steps since an array read single elements (shuffle, take, skip, shard, zip, map, batch, ...), a shuffle
    permutes indices, and a batch is read by one gathering of rows.

    Example:
        >>> import polytape as pt
        >>> x = pt.reshape(pt.arange(10), (5, 2))
        >>> for batch in pt.data.Dataset.from_tensor_slices(x).map(lambda row: row * 2).batch(3):
        ...     print(batch.tolist())
        [[0, 2], [4, 6], [8, 10]]
        [[12, 14], [16, 18]]
    """

    def __init__(self, node: Node) -> None:
        if not isinstance(node, Node):
            raise DTypeError(
                "Dataset does not take data.",
                expected="one of its constructors, such as Dataset.from_tensor_slices",
                got=f"a {type(node).__name__}",
                fix="Dataset.from_tensor_slices(arrays) for rows, Dataset.from_generator(function) for items of a loop",
            )
        super().__init__(node)
        self._passes = itertools.count()

    def __repr__(self) -> str:
        return f"Dataset({self._node.fingerprint()})"

    def __iter__(self) -> AnyIterator[Any]:
        # Each loop is another epoch, so that each shuffles anew.
        return Iterator(self._node, next(self._passes))

    def iterator(self, *, seed: int | None = None) -> Iterator:
        """An `Iterator`, which starts with epoch 0. Its worker processes stay from one pass to the next.

        Args:
            seed: from 0 to 2**62 - 1, of the shuffles and random maps that have none. Default: drawn from the default
                generator.
        """
        return Iterator(self._node, 0, None if seed is None else positive("iterator", "seed", seed, 0) % 2**62)

    def __len__(self) -> int:
        count = self._node.count()
        if count is None or count == INFINITE:
            raise DTypeError(
                f"the length of this dataset is {'infinite' if count else 'not known'}.",
                expected="steps that keep the number of elements",
                got=repr(self),
                fix="count in a loop, or use cardinality, which is None or infinity here",
            )
        return int(count)

    def __bool__(self) -> bool:
        return True  # not by its length, which may not be known

    @property
    def cardinality(self) -> int | float | None:
        """The number of elements: an int, ``float("inf")``, or None if it is not known without a pass."""
        return self._node.count()

    @property
    def element_spec(self) -> Any:
        """The structure of an element, with a `TensorSpec` for each tensor, and the type of each other object.

        Functions, generators and files are tried with the first element.
        """
        return self._node.spec()

    def map(
        self,
        function: Callable[..., Any],
        *,
        batched: bool = False,
        random: bool = False,
        num_workers: int = 0,
        workers: str = "threads",
    ) -> Dataset:
        """``function(element)`` for each element, in the same order.

        Args:
            function: takes the parts of a tuple as its arguments.
            batched: whether it takes and returns several elements at once, along a first axis of any length. It must
                treat each element by itself.
            random: whether it gets a keyword ``generator=``, a `polytape.random.Generator` of this element and epoch.
                The default generator instead would make the numbers depend on what else draws from it.
            num_workers: how many elements are computed at the same time; 0 computes each when it is needed.
            workers: "threads" or "processes". Processes are spawned: the function must be importable, and elements are
                pickled.
        Raises:
            SettingError: ``workers`` or ``num_workers`` is not valid, or does not go with ``batched``. In a loop: what
                ``function`` raises, with a note that names the element; DataError: a worker process ended.
        """
        if workers not in ("threads", "processes"):
            raise SettingError(
                f"map cannot use workers={workers!r}.",
                expected="'threads' or 'processes'",
                got=repr(workers),
                fix="change it",
            )
        n = positive("map", "num_workers", num_workers, 0)
        if batched and (n or random):
            raise SettingError(
                "map(batched=True) has neither workers nor a generator per element.",
                expected="num_workers=0 and random=False",
                got=f"num_workers={n}, random={random}",
                fix="batch first: .batch(size).map(function, num_workers=...)",
            )
        return Dataset(Map(self._node, function, batched, random, n, workers == "processes"))

    def filter(self, predicate: Callable[..., Any]) -> Dataset:
        """The elements for which ``predicate(element)`` is true: a bool, or a tensor of shape ()."""
        return Dataset(Filter(self._node, predicate))

    def flat_map(self, function: Callable[..., Any]) -> Dataset:
        """The elements of the datasets ``function(element)``, one dataset after the other."""
        return self.interleave(function, cycle_length=1)

    def interleave(self, function: Callable[..., Any], *, cycle_length: int = 8, block_length: int = 1) -> Dataset:
        """The elements of the datasets ``function(element)``, from several of them by turns.

        Args:
            function: returns a dataset.
            cycle_length: how many are open at the same time.
            block_length: how many elements in succession come from each.
        """

        def node(opening: Opening, element: Any, position: int) -> Node:
            dataset = opening.call_raw(function, element, "interleave or flat_map", position)
            if not isinstance(dataset, Sources):
                raise DTypeError(
                    "the function of interleave or flat_map must return a Dataset.",
                    expected="a Dataset",
                    got=type(dataset).__name__,
                    fix="return Dataset.from_tensor_slices(...) of it",
                )
            return dataset._node

        cycle = positive("interleave", "cycle_length", cycle_length)
        return Dataset(Interleave(self._node, node, cycle, positive("interleave", "block_length", block_length)))

    def shuffle(self, buffer_size: int | None = None, *, seed: int | None = None, reshuffle: bool = True) -> Dataset:
        """The elements in random order.

        Elements that can be read by position are permuted as a whole. Otherwise, each element is drawn from the next
        ``buffer_size`` ones.

        Args:
            buffer_size: the number of elements to hold in memory; default: all, if their number is known.
            seed: of the order; the same seed gives the same order in every dataset of the same length. Default: one
                for each iterator.
            reshuffle: whether each pass has another order.
        Raises:
            SettingError: in a loop: ``buffer_size`` is needed.
        Source:
            D. Knuth (1998), The Art of Computer Programming 3, 5 (permutation); J. Vitter (1985), ACM TOMS 11(1), for
            sampling with a buffer.
        """
        size = None if buffer_size is None else positive("shuffle", "buffer_size", buffer_size)
        return Dataset(
            Shuffle(self._node, size, None if seed is None else positive("shuffle", "seed", seed, 0), reshuffle)
        )

    def batch(self, batch_size: int, *, drop_remainder: bool = False) -> Dataset:
        """``batch_size`` elements each as one: arrays are stacked along a new first axis, other objects become lists.

        Args:
            batch_size: the number of elements.
            drop_remainder: whether to leave out a last batch that is smaller.
        Raises:
            ShapeError, DTypeError: in a loop: the elements differ in shape or dtype.
        """
        return Dataset(Batch(self._node, positive("batch", "batch_size", batch_size), drop_remainder))

    def padded_batch(
        self, batch_size: int, *, padded_shapes: Any = None, padding_value: Any = 0, drop_remainder: bool = False
    ) -> Dataset:
        """As `batch`, with elements of different sizes padded at the ends of their axes.

        Args:
            batch_size: the number of elements.
            padded_shapes: a shape for each array, or one for all; None, also for an axis, means the largest size in the
                batch.
            padding_value: a number for each array, or one for all.
            drop_remainder: as for `batch`.
        Raises:
            ShapeError: in a loop: an element has another number of axes, or is larger than its padded shape.
        """
        size = positive("padded_batch", "batch_size", batch_size)
        return Dataset(PaddedBatch(self._node, size, padded_shapes, padding_value, drop_remainder))

    def unbatch(self) -> Dataset:
        """The rows of each element."""
        return Dataset(Unbatch(self._node))

    def window(self, size: int, *, shift: int | None = None, stride: int = 1, drop_remainder: bool = False) -> Dataset:
        """Batches of ``size`` elements that are ``stride`` apart; each window begins ``shift`` after the one before.

        Args:
            size: the number of elements.
            shift: between two windows; default: ``size``.
            stride: between two elements of a window.
            drop_remainder: whether to leave out windows that the end cuts.
        """
        n, step = positive("window", "size", size), positive("window", "stride", stride)
        return Dataset(
            Window(self._node, n, n if shift is None else positive("window", "shift", shift), step, drop_remainder)
        )

    def repeat(self, count: int | None = None) -> Dataset:
        """The elements ``count`` times, without end if it is None; each time is a pass, which shuffles anew."""
        return Dataset(Repeat(self._node, None if count is None else positive("repeat", "count", count, 0)))

    def take(self, count: int) -> Dataset:
        """The first ``count`` elements."""
        return Dataset(Strided(self._node, limit=positive("take", "count", count, 0)))

    def skip(self, count: int) -> Dataset:
        """All elements but the first ``count``."""
        return Dataset(Strided(self._node, start=positive("skip", "count", count, 0)))

    def shard(self, num_shards: int, index: int) -> Dataset:
        """Every ``num_shards``-th element, from number ``index``: the part of one of several workers.

        Shard before shuffling, or shuffle with a seed: otherwise the workers' parts overlap.
        """
        n = positive("shard", "num_shards", num_shards)
        if not 0 <= positive("shard", "index", index, 0) < n:
            raise SettingError(
                f"shard cannot use index={index}.", expected=f"from 0 to {n - 1}", got=str(index), fix="change it"
            )
        return Dataset(Strided(self._node, start=index, step=n))

    def concatenate(self, *others: Dataset) -> Dataset:
        """The elements of this dataset, then those of the others."""
        return Dataset(Concatenate(self._node, *(other._node for other in others)))

    def enumerate(self, start: int = 0) -> Dataset:
        """Pairs of a number, int64[], and the element."""
        return Dataset.zip((Dataset(Range(range(start, 2**63 - 1), endless=True)), self))

    def cache(self, path: Any = None) -> Dataset:
        """The same elements, computed in the first pass and then kept.

        Shuffle after this step: the steps before it are computed once, so a shuffle among them has one order, and one
        without a seed always has the same.

        Args:
            path: of a file to keep them in, which other processes may use; default: memory. The file appears when the
                first pass has ended.
        Raises:
            DataError: in a loop: the file was written by other steps, or is damaged.
        """
        return Dataset(MemoryCache(self._node) if path is None else FileCache(self._node, path))

    def prefetch(self, buffer_size: int = 2) -> Dataset:
        """The same elements, with up to ``buffer_size`` computed ahead in a thread.

        After `to`, the copies to the device are made ahead too.
        """
        return Dataset(Prefetch(self._node, positive("prefetch", "buffer_size", buffer_size)))

    def to(self, device: str | Device) -> Dataset:
        """The same elements on a device; otherwise they are where new tensors go when the loop starts.

        Raises:
            DeviceError, BackendError: the device does not exist, or cannot be used.
        """
        return Dataset(Place(self._node, selection.resolve_device(device)))

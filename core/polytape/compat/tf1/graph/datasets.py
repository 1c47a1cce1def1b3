"""Datasets of a graph: descriptions from which a run makes a dataset of `polytape.compat.tf1.data_pipelines`.

A description knows the types and shapes of the elements. What it takes from the graph, such as a placeholder with a
batch size, gets its value when an iterator is initialized. The functions of `map` and its like are regions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...mode import computing
from ..convert import tensor
from ..data_pipelines import Dataset
from ..shapes import TensorShape
from .elements import Described, leaves, mapped, rebuilt, shapes_like, spec_of, tuples
from .iterators import GraphIterator, placeholders
from .kinds import Kind
from .python_functions import kind_for
from .recording import Template
from .regions import Region, region_of
from .tensors import GraphTensor
from .variables import constant

__all__ = [
    "GraphDataset",
    "from_generator",
    "from_tensor_slices",
    "from_tensors",
    "list_files",
    "range",
    "strings",
    "zip",
]

Values = dict[GraphTensor, Any]


class GraphDataset(Described, Dataset):
    """A dataset of a graph.

    Args:
        make: from values of the graph's tensors to the dataset.
        inputs: these tensors.
        spec: a structure of tuples and dicts with the `Kind` of each part of an element.
    """

    def __init__(self, make: Callable[[Values], Dataset], inputs: Sequence[GraphTensor], spec: Any) -> None:
        self.make, self.spec = make, spec
        self.inputs = list({id(x): x for x in inputs}.values())

    # --- steps ------------------------------------------------------------------------------------------------------

    def _step(self, method: str, *arguments: Any, spec: Any = None, **options: Any) -> GraphDataset:
        """The dataset that a method of the eager one gives; by default, its elements are of the same kinds."""
        given = Template([arguments, options])

        def make(values: Values) -> Dataset:
            positional, named = given.filled([values[x] for x in given.inputs])
            found: Dataset = getattr(self.make(values), method)(*positional, **named)
            return found

        return GraphDataset(make, [*self.inputs, *given.inputs], self.spec if spec is None else spec)

    def _with_function(
        self, method: str, function: Callable[..., Any], *arguments: Any, opens: bool = False, **options: Any
    ) -> GraphDataset:
        """The dataset that a method gives that takes a function of an element.

        Args:
            opens: whether the function returns a dataset.
        """
        body, result = _body(function, self.spec, opens)

        def make(values: Values) -> Dataset:
            captured = {x: values[x] for x in body.captures}

            def call(*parts: Any) -> Any:
                results = body.run(leaves(parts[0] if len(parts) == 1 else parts), captured)
                if opens:
                    return result.make({**captured, **dict(_pairs(body.results, results))})
                return rebuilt(body.structure, iter(results))

            found: Dataset = getattr(self.make(values), method)(call, *arguments, **options)
            return found

        spec = result.spec if opens else mapped(Kind.of, body.structure)
        return GraphDataset(make, [*self.inputs, *body.captures], self.spec if method == "filter" else spec)

    def map(self, map_func: Callable[..., Any], num_parallel_calls: Any = None) -> GraphDataset:
        """As `Dataset.map`."""
        return self._with_function("map", map_func)

    def filter(self, predicate: Callable[..., Any]) -> GraphDataset:
        """As `Dataset.filter`."""
        return self._with_function("filter", predicate)

    def flat_map(self, map_func: Callable[..., Any]) -> GraphDataset:
        """As `Dataset.flat_map`."""
        return self._with_function("flat_map", map_func, opens=True)

    def interleave(self, map_func: Callable[..., Any], cycle_length: int, block_length: int = 1) -> GraphDataset:
        """As `Dataset.interleave`."""
        return self._with_function("interleave", map_func, cycle_length, block_length, opens=True)

    def batch(self, batch_size: Any) -> GraphDataset:
        """As `Dataset.batch`."""
        return self._step("batch", batch_size, spec=mapped(_batched, self.spec))

    def padded_batch(self, batch_size: Any, padded_shapes: Any, padding_values: Any = None) -> GraphDataset:
        """As `Dataset.padded_batch`."""
        shapes = iter(leaves(shapes_like(padded_shapes, self.spec)))
        spec = mapped(lambda kind: _batched(kind._replace(shape=_padded(next(shapes)))), self.spec)
        return self._step("padded_batch", batch_size, padded_shapes, padding_values, spec=spec)

    def shuffle(self, buffer_size: Any, seed: Any = None, reshuffle_each_iteration: bool | None = None) -> GraphDataset:
        """As `Dataset.shuffle`."""
        return self._step("shuffle", buffer_size, seed, reshuffle_each_iteration)

    def repeat(self, count: Any = None) -> GraphDataset:
        """As `Dataset.repeat`."""
        return self._step("repeat", count)

    def take(self, count: Any) -> GraphDataset:
        """As `Dataset.take`."""
        return self._step("take", count)

    def skip(self, count: Any) -> GraphDataset:
        """As `Dataset.skip`."""
        return self._step("skip", count)

    def shard(self, num_shards: Any, index: Any) -> GraphDataset:
        """As `Dataset.shard`."""
        return self._step("shard", num_shards, index)

    def prefetch(self, buffer_size: Any) -> GraphDataset:
        """The same elements; a run takes them one by one."""
        return self

    def cache(self, filename: Any = "") -> GraphDataset:
        """As `Dataset.cache`."""
        return self._step("cache", filename)

    def concatenate(self, dataset: Any) -> GraphDataset:
        """As `Dataset.concatenate`."""
        others = iter(leaves(dataset.spec))
        spec = mapped(lambda kind: kind._replace(shape=_joint(kind.shape, next(others).shape)), self.spec)

        def make(values: Values) -> Dataset:
            return self.make(values).concatenate(dataset.make(values))

        return GraphDataset(make, [*self.inputs, *dataset.inputs], spec)

    # --- iterators --------------------------------------------------------------------------------------------------

    def make_one_shot_iterator(self) -> GraphIterator:  # type: ignore[override]  # of a graph
        """An iterator that each session begins at the first element.

        Raises:
            ValueError: the dataset depends on a placeholder.
        """
        for x in placeholders(self.inputs):
            raise ValueError(f"Cannot capture a placeholder (name:{x.op.name}, type:{x.op.type}) by value.")
        return GraphIterator(self.spec, self)

    def make_initializable_iterator(self, shared_name: str | None = None) -> GraphIterator:  # type: ignore[override]
        """An iterator whose operation ``initializer`` begins at the first element."""
        found = GraphIterator(self.spec)
        found.initialize_with(self)
        return found

    def __iter__(self) -> Any:
        raise RuntimeError("dataset.__iter__() is only supported when eager execution is enabled.")


# --- sources ----------------------------------------------------------------------------------------------------------


def from_tensors(tensors: Any) -> GraphDataset:
    """As `Dataset.from_tensors`."""
    return _of_tensors("from_tensors", tensors, lambda kind: kind)


def from_tensor_slices(tensors: Any) -> GraphDataset:
    """As `Dataset.from_tensor_slices`."""

    def row(kind: Kind) -> Kind:
        if kind.shape.ndims == 0:
            raise ValueError("slice index 0 of dimension 0 out of bounds: the tensors need a first axis.")
        return kind._replace(shape=TensorShape(None if kind.shape.ndims is None else kind.shape.as_list()[1:]))

    return _of_tensors("from_tensor_slices", tensors, row)


def _of_tensors(method: str, tensors: Any, part: Callable[[Kind], Kind]) -> GraphDataset:
    structure = mapped(_source, tensors)
    given = Template([structure])

    def make(values: Values) -> Dataset:
        found: Dataset = getattr(Dataset, method)(given.filled([values[x] for x in given.inputs])[0])
        return found

    return GraphDataset(make, given.inputs, mapped(lambda leaf: part(_kind(leaf)), structure))


def _source(leaf: Any) -> Any:
    """A part of a source as a tensor; strings as they are."""
    if isinstance(leaf, GraphTensor):
        return leaf
    if isinstance(leaf, (str, bytes)) or (isinstance(leaf, list) and leaf and isinstance(leaf[0], (str, bytes))):
        return leaf
    with computing():
        return tensor(leaf)  # a copy, with the dtype that TensorFlow gives it


def _kind(leaf: Any) -> Kind:
    if isinstance(leaf, GraphTensor):
        return Kind.of(leaf)
    if isinstance(leaf, (str, bytes, list)):
        return kind_for("string", [len(leaf)] if isinstance(leaf, list) else [])
    return Kind(leaf.type, TensorShape(leaf.array.shape))


def from_generator(generator: Callable[[], Any], output_types: Any, output_shapes: Any = None) -> GraphDataset:
    """As `Dataset.from_generator`; without ``output_shapes``, the shapes of the elements are unknown."""
    if not callable(generator):
        raise TypeError("`generator` must be callable.")
    types = tuples(output_types)
    return GraphDataset(lambda _: Dataset.from_generator(generator, types), [], spec_of(types, output_shapes))


def range(*args: Any) -> GraphDataset:
    """As `Dataset.range`."""
    given = Template([args])

    def make(values: Values) -> Dataset:
        return Dataset.range(*given.filled([values[x] for x in given.inputs])[0])

    return GraphDataset(make, given.inputs, kind_for("int64", []))


def zip(datasets: Any) -> GraphDataset:
    """As `Dataset.zip`."""
    structure = tuples(datasets)
    parts = leaves(structure)
    if not all(isinstance(part, GraphDataset) for part in parts):
        raise TypeError(
            "The argument to `Dataset.zip()` must be a nested structure of `Dataset` objects, such as a tuple."
        )

    def make(values: Values) -> Dataset:
        return Dataset.zip(mapped(lambda part: part.make(values), structure))

    return GraphDataset(make, [x for part in parts for x in part.inputs], mapped(lambda part: part.spec, structure))


def list_files(file_pattern: Any, shuffle: bool | None = None) -> GraphDataset:
    """As `Dataset.list_files`."""
    return GraphDataset(lambda _: Dataset.list_files(file_pattern, shuffle), [], kind_for("string", []))


def strings(cls: type[Dataset], *args: Any, **kwargs: Any) -> GraphDataset:
    """A dataset of a class whose elements are strings, such as the lines of a file."""
    given = Template([args, kwargs])

    def make(values: Values) -> Dataset:
        positional, named = given.filled([values[x] for x in given.inputs])
        return cls(*positional, **named)

    return GraphDataset(make, given.inputs, kind_for("string", []))


# --- structures -------------------------------------------------------------------------------------------------------


def _body(function: Callable[..., Any], spec: Any, opens: bool) -> tuple[Region, Any]:
    """The function of an element as a region; and the dataset that it opens, if it does."""
    opened: list[Any] = []

    def arguments(parameters: Any) -> Sequence[Any]:
        element = rebuilt(spec, iter(parameters))
        return element if type(element) is tuple else [element]

    def results(found: Any) -> Any:
        if not opens:
            return mapped(lambda leaf: constant(leaf, None, "Const"), tuples(found))
        if not isinstance(found, GraphDataset):
            raise TypeError("`map_func` must return a `Dataset` object.")
        opened.append(found)
        return list(found.inputs)

    body = region_of(function, leaves(spec), arguments, "element", results)
    return body, opened[0] if opened else None


def _pairs(one: Sequence[Any], other: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Python's ``zip``, a name that is `tf.data`'s here."""
    return [(one[place], value) for place, value in enumerate(other)]


def _batched(kind: Kind) -> Kind:
    return kind._replace(shape=TensorShape(None if kind.shape.ndims is None else [None, *kind.shape.as_list()]))


def _padded(shape: TensorShape) -> TensorShape:
    sizes = shape.as_list()
    return TensorShape([None if size is None or size < 0 else size for size in sizes])


def _joint(one: TensorShape, other: TensorShape) -> TensorShape:
    if one.ndims is None or one.ndims != other.ndims:
        return TensorShape(None)
    other_sizes = other.as_list()
    return TensorShape([size if size == other_sizes[axis] else None for axis, size in enumerate(one.as_list())])

"""What a call gives without numbers: dtypes, shapes with unknown dimensions, and which variables it uses.

A call is traced, which computes nothing, with a size for the unknown dimensions, and again with another size: a
dimension of a result that differs is unknown. What depends on shapes alone has a value in such a trace, so a shape that
is computed, such as ``[tf.shape(x)[0], 10]``, is known as far as it can be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from ....autodiff.indexed_slices import IndexedSlices
from ....dtypes import BOOL
from ....errors import DTypeError, PolytapeError, TraceError
from ....graph.tracing import trace
from ....ops.creation import ones
from ....registry.tensor_type import TensorType
from ....tensors.scope import NO_SCOPE, current_scope
from ....tensors.tensor import Symbol, Tensor
from ...mode import computing
from ..nesting import flattened, mapped
from ..shapes import TensorShape
from .graphs import get_default_graph

__all__ = ["Inferred", "Spec", "infer", "specs_of"]

# Sizes that take the place of an unknown one: with many divisors, so that reshaping and pooling find what they need.
SIZES: Final = (840, 1260)
# Tried if these do not fit, such as an unknown size that has to be equal to a known one.
FALLBACKS: Final = (1, 2, 784, 4096)
RANKS: Final = (2, 1, 0, 3, 4, 5)
LARGEST: Final = 4096  # elements of a value that is passed on to the calls that use it

Function = Callable[[list[Any]], Any]


class Spec:
    """A tensor without its values: type and shape; and the value, if it is known and small."""

    __slots__ = ("shape", "tensor_type", "value")

    def __init__(self, tensor_type: TensorType, shape: tuple[int, ...], value: Tensor | None = None) -> None:
        self.tensor_type, self.shape, self.value = tensor_type, shape, value

    def same_as(self, other: Spec) -> bool:
        """Whether both say the same."""
        return self.value is other.value and self.shape == other.shape


class Inferred(NamedTuple):
    """What a call gives.

    Attributes:
        structure: the results, with a Spec for each tensor.
        specs: for each tensor among the results, its specs for the sizes in `SIZES`; none if its shape is unknown.
        shapes: their shapes. types: their types.
        reads, writes: the variables that the call reads and assigns.
        valued: whether this is from a call with numbers, which does not say what it reads and assigns.
    """

    structure: Any
    types: list[TensorType]
    shapes: list[TensorShape]
    specs: list[tuple[Spec, ...]]
    reads: tuple[Any, ...]
    writes: tuple[Any, ...]
    valued: bool = False


class _Run(NamedTuple):
    """One trace of a call."""

    result: Any
    leaves: list[Spec]
    reads: tuple[Any, ...]
    writes: tuple[Any, ...]


def specs_of(tensor_type: TensorType, shape: TensorShape) -> tuple[Spec, ...]:
    """A tensor's specs for the sizes in `SIZES`; none for an unknown rank."""
    if shape.ndims is None:
        return ()
    return tuple(Spec(tensor_type, sized(shape, size)) for size in SIZES)


def sized(shape: TensorShape, size: int) -> tuple[int, ...]:
    """The shape with ``size`` for unknown dimensions."""
    return tuple([size if known is None else known for known in shape.as_list()])


def infer(name: str, function: Function, inputs: Sequence[Any]) -> Inferred:
    """What ``function([tensors])`` gives for tensors of a graph.

    Raises:
        PolytapeError: the call fails for all sizes of the unknown dimensions.
    """
    specs = [x.specs or specs_of(x.tensor_type, x.shape) for x in inputs]
    if all(specs):
        try:
            if all(spec.same_as(other) for spec, other in specs):
                return _joined([_traced(name, function, [spec for spec, _ in specs])])
            return _joined([_traced(name, function, [pair[k] for pair in specs]) for k in (0, 1)])
        except TraceError:
            return _with_values(function, inputs)
        except PolytapeError:
            if all(x.shape.is_fully_defined() for x in inputs):
                found = _from_numbers(function, inputs)  # the error may be that of a trace, which has no values
                if found is None:
                    raise
                return found
    return _tried(name, function, inputs)


def _tried(name: str, function: Function, inputs: Sequence[Any]) -> Inferred:
    """As `infer`, where the sizes of `SIZES` do not fit or a rank is unknown: with the ranks and sizes that fit."""
    found: list[list[_Run]] = []
    failures: list[PolytapeError] = []
    for ranks in _ranks(inputs):
        try:
            runs = _fitting(name, function, inputs, ranks)
        except TraceError:
            return _with_values(function, inputs)
        except PolytapeError as error:
            failures.append(error)
            continue
        found.append(runs)
        if len(found) == 2:
            break
    if found:
        return _joined([run for runs in found for run in runs], exact=len(found) == 1 and len(found[0]) == len(SIZES))
    valued = _from_numbers(function, inputs)
    if valued is not None:
        return valued
    if len(failures) == 1 or all(isinstance(error, DTypeError) for error in failures):
        raise failures[0]
    return _unknown(inputs)  # no rank fits all inputs alike, which says little


def _ranks(inputs: Sequence[Any]) -> Iterator[list[int | None]]:
    """The ranks to try, for each input: None where it is known; a condition is most often a single one."""
    unknown = [x.shape.ndims is None for x in inputs]
    if not any(unknown):
        yield [None] * len(inputs)
        return
    for rank in RANKS:
        yield [
            None if not free else 0 if x.tensor_type.category == BOOL else rank
            for x, free in zip(inputs, unknown, strict=True)
        ]
    if any(x.tensor_type.category == BOOL for x, free in zip(inputs, unknown, strict=True) if free):
        for rank in RANKS:
            yield [rank if free else None for free in unknown]


def _fitting(name: str, function: Function, inputs: Sequence[Any], ranks: list[int | None]) -> list[_Run]:
    """Runs with the sizes of `SIZES`, or one run with another size that fits."""

    def run(size: int) -> _Run:
        shapes = [
            sized(x.shape, size) if rank is None else (size,) * rank for x, rank in zip(inputs, ranks, strict=True)
        ]
        return _traced(name, function, [Spec(x.tensor_type, s) for x, s in zip(inputs, shapes, strict=True)])

    known = {size for x in inputs if x.shape.ndims is not None for size in x.shape.as_list() if size is not None}
    try:
        return [run(size) for size in SIZES]
    except TraceError:
        raise
    except PolytapeError as error:
        failure = error
    for size in dict.fromkeys((*FALLBACKS, *sorted(known))):
        try:
            return [run(size)]
        except PolytapeError:
            continue
    raise failure


def _with_values(function: Function, inputs: Sequence[Any]) -> Inferred:
    """As `infer`, for a function whose results' shapes depend on values."""
    return _from_numbers(function, inputs) or _unknown(inputs)


def _from_numbers(function: Function, inputs: Sequence[Any]) -> Inferred | None:
    """What a call with ones gives; None if it fails for all ranks and sizes that are tried."""
    for size in (2, 1):
        for rank in RANKS if any(x.shape.ndims is None for x in inputs) else (0,):
            shapes = [(size,) * rank if x.shape.ndims is None else sized(x.shape, size) for x in inputs]
            scope = current_scope.get()
            try:
                current_scope.set(NO_SCOPE)
                with computing(), _variables_with_values():
                    result = function([_example(x, shape) for x, shape in zip(inputs, shapes, strict=True)])
                leaves = [_spec(leaf, known=False) for leaf in flattened(result) if isinstance(leaf, Tensor)]
                return _joined([_Run(result, leaves, (), ())], exact=False)._replace(valued=True)
            except (PolytapeError, ValueError, TypeError, IndexError):
                continue
            finally:
                current_scope.set(scope)
    return None


def _unknown(inputs: Sequence[Any]) -> Inferred:
    """One result of unknown shape, with the dtype of the first input."""
    first = inputs[0].tensor_type
    return Inferred(Spec(first, ()), [first], [TensorShape(None)], [()], (), (), valued=True)


@contextmanager
def _variables_with_values() -> Iterator[None]:
    """A context manager: inside, the variables of the graph, which have no values outside of runs, are ones."""
    variables = [x for x in get_default_graph().variables if isinstance(x.array, Symbol)]
    before = [x.array for x in variables]
    for x in variables:
        x.array = ones(tuple(x.array.shape), dtype=x.type.dtype).array
    try:
        yield
    finally:
        for x, array in zip(variables, before, strict=True):
            x.array = array


def _example(x: Any, shape: tuple[int, ...]) -> Tensor:
    known = x.specs[0].value if x.specs else None
    return ones(shape, dtype=x.tensor_type.dtype) if known is None else known


def _joined(runs: list[_Run], exact: bool = True) -> Inferred:
    """What all runs agree in. ``exact``: whether they have the sizes of `SIZES`, so that their specs are kept."""
    first = runs[0]
    types = [leaf.tensor_type for leaf in first.leaves]
    shapes: list[TensorShape] = []
    specs: list[tuple[Spec, ...]] = []
    for position, leaf in enumerate(first.leaves):
        others = [run.leaves[position] for run in runs]
        ranked = len({len(other.shape) for other in others}) == 1
        certain = exact or len(runs) > 1  # from one size alone, no dimension is known
        sizes = (
            [size if certain and len(set(rest)) == 1 else None for size, *rest in _columns(others)] if ranked else None
        )
        shapes.append(TensorShape(sizes))
        specs.append((leaf, others[-1]) if exact else ())
    return Inferred(_described(first.result, iter(first.leaves)), types, shapes, specs, first.reads, first.writes)


def _columns(specs: list[Spec]) -> Sequence[tuple[int, ...]]:
    """For each axis, its size in the first spec, and its sizes in all."""
    return [(spec[0], *spec) for spec in zip(*[spec.shape for spec in specs], strict=True)]


def _described(result: Any, leaves: Any) -> Any:
    return mapped(lambda leaf: next(leaves) if is_result(leaf) else leaf, result)


def is_result(leaf: Any) -> bool:
    """Whether a result of a call is a tensor."""
    return isinstance(leaf, (Tensor, IndexedSlices))


def _traced(name: str, function: Function, specs: Sequence[Spec]) -> _Run:
    """One trace of the call."""
    symbolic = [(f"x{k}", spec.tensor_type, spec.shape) for k, spec in enumerate(specs) if spec.value is None]
    found: list[Any] = []

    def body(tensors: list[Tensor]) -> list[Tensor]:
        remaining = iter(tensors)
        result = function([next(remaining) if spec.value is None else spec.value for spec in specs])
        tracer = current_scope.get().trace
        reads = tuple(x.holder for x in tracer.variables.values())
        leaves = [_spec(leaf) for leaf in flattened(result) if is_result(leaf)]
        found.append(_Run(result, leaves, reads, tuple(tracer.written.values())))
        return []

    with computing():
        trace(name, symbolic, body)
    run: _Run = found[0]
    return run


def _spec(leaf: Any, known: bool = True) -> Spec:
    if isinstance(leaf, IndexedSlices):
        return Spec(leaf.values.type, tuple(leaf.dense_shape))
    value = (
        leaf if known and not isinstance(leaf.array, Symbol) and leaf.node is None and leaf.size <= LARGEST else None
    )
    return Spec(leaf.type, tuple(leaf.array.shape), value if type(value) is Tensor else None)

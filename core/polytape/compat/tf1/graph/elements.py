"""Elements of datasets: structures of tuples and dicts, and what is known of their parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..shapes import TensorShape
from .kinds import Kind
from .python_functions import kind_for
from .tensors import Tensor

__all__ = ["Described", "leaves", "mapped", "rebuilt", "shapes_like", "spec_of", "tuples"]


def leaves(element: Any) -> list[Any]:
    """The parts of an element in tuples and dicts, these by sorted keys."""
    if isinstance(element, dict):
        return [leaf for key in sorted(element) for leaf in leaves(element[key])]
    if isinstance(element, tuple) and not isinstance(element, (Kind, TensorShape)):
        return [leaf for part in element for leaf in leaves(part)]
    return [element]


def tuples(structure: Any) -> Any:
    """The structure with tuples in place of lists."""
    if isinstance(structure, dict):
        return {key: tuples(part) for key, part in structure.items()}
    if isinstance(structure, (list, tuple)) and not hasattr(structure, "_fields"):
        return tuple([tuples(part) for part in structure])
    return structure


def mapped(function: Callable[[Any], Any], structure: Any) -> Any:
    """The structure with ``function`` of each part."""
    if isinstance(structure, dict):
        return {key: mapped(function, structure[key]) for key in sorted(structure)}
    if isinstance(structure, tuple) and not isinstance(structure, (Kind, TensorShape)):
        return tuple([mapped(function, part) for part in structure])
    return function(structure)


def shapes_like(given: Any, structure: Any) -> Any:
    """A structure of shapes, which may be lists, in the form of another structure."""
    if isinstance(structure, dict):
        return {key: shapes_like(given[key], structure[key]) for key in sorted(structure)}
    if isinstance(structure, tuple) and not isinstance(structure, Kind):
        return tuple([shapes_like(given[place], part) for place, part in enumerate(structure)])
    return TensorShape(given)


def rebuilt(structure: Any, values: Any) -> Any:
    """The structure with other parts."""
    return mapped(lambda _: next(values), structure)


def spec_of(output_types: Any, output_shapes: Any) -> Any:
    """The kinds of the parts of an element."""
    types = tuples(output_types)
    if output_shapes is None:
        return mapped(lambda dtype: kind_for(dtype, None), types)
    given = iter(leaves(shapes_like(output_shapes, types)))
    return mapped(lambda dtype: kind_for(dtype, next(given)), types)


class Described:
    """What tells the kinds of its elements: a dataset, an iterator.

    Attributes:
        spec: a structure of tuples and dicts with the `Kind` of each part of an element.
    """

    spec: Any

    @property
    def output_types(self) -> Any:
        """The dtype of each part of an element."""
        return mapped(lambda kind: kind.dtype, self.spec)

    @property
    def output_shapes(self) -> Any:
        """The shape of each part of an element."""
        return mapped(lambda kind: kind.shape, self.spec)

    @property
    def output_classes(self) -> Any:
        """The class of each part of an element."""
        return mapped(lambda kind: Tensor, self.spec)

"""What a map of OpInfo entries is made of: adapters, stated differences, and reasons why an entry has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Mapped", "NotOffered", "axis_of", "merged", "named", "without_factory_arguments"]


class NotOffered(Exception):
    """Raised by an adapter for a sample that uses what polytape does not have; the text is the reason."""


@dataclass(frozen=True)
class Mapped:
    """How polytape computes an entry of OpInfo.

    Attributes:
        ours: takes the arguments of the sample, tensors and dtypes of torch replaced by ours; returns a tensor or a
            structure of tensors.
        torch: replaces torch's function where the results are only determined up to a factor, such as eigenvectors.
        dtype: why results may have another dtype than torch's; empty if they must have the same.
        values: why only shapes and dtypes are compared; empty if values are.
        gradient: why gradients are not compared; empty if they are.
        double: why second gradients are not compared.
        tolerance: a factor for the tolerances of values and gradients.
        leave: by dtype, why its samples are left out.
    """

    ours: Callable[..., Any]
    torch: Callable[..., Any] | None = None
    dtype: str = ""
    values: str = ""
    gradient: str = ""
    double: str = ""
    tolerance: float = 1.0
    leave: Mapping[str, str] = field(default_factory=dict)


def merged(*tables: Mapping[str, Mapped | Callable[..., Any]]) -> dict[str, Mapped]:
    """One table of all entries.

    Raises:
        ValueError: two tables name the same entry.
    """
    result: dict[str, Mapped] = {}
    for table in tables:
        for name, value in table.items():
            if name in result:
                raise ValueError(f"two tables map {name}")
            result[name] = value if isinstance(value, Mapped) else Mapped(value)
    return result


def named(find: Any, names: str) -> dict[str, Callable[..., Any]]:
    """A table of entries that take the same arguments: ``"name name torch=ours"``, found in ``find``."""
    pairs = [name.split("=") for name in names.split()]
    return {pair[0]: getattr(find, pair[-1].split(".")[-1]) for pair in pairs}


def axis_of(dim: Any) -> Any:
    """torch's ``dim`` as our ``axis``: an empty one means all axes there."""
    if isinstance(dim, (tuple, list)):
        return tuple(dim) or None
    return dim


def without_factory_arguments(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Keyword arguments without those that say where and how torch stores a new tensor."""
    storage = ("device", "layout", "memory_format", "pin_memory", "requires_grad", "generator")
    return {name: value for name, value in kwargs.items() if name not in storage}

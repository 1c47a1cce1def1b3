"""Families of ops: which module declares an op. A family loads when one of its names is first used.

A family is a module of this package. Its ``__all__`` lists its public names, which appear in `polytape`; those of a
family in a subpackage, such as ``nn``, appear in the namespace of the same name, `polytape.nn`. Families load lazily
because declaring an op takes about 20 us. To find a name without importing every family, their sources are searched
once. The families in `BOUND` load together, with the first backend: Tensor's operators and the backward pass call
their ops.
"""

from __future__ import annotations

import importlib
import os
from functools import cache
from typing import Any, Final

from .. import foreign_names
from ..registry import tables

__all__ = ["BOUND", "FAMILIES", "bind", "declare", "declare_all", "find", "public_names"]

# Modules below polytape.ops.
BOUND: Final = ("arithmetic", "indexing", "linalg", "logic", "manipulation", "reduction")
FAMILIES: Final = (
    *BOUND, "creation", "exponential", "nn.activations", "nn.losses", "optim", "random", "trigonometric",
)  # fmt: skip


class _Index:
    """The family of each op name, and of each pair of namespace and public name."""

    def __init__(self) -> None:
        self.ops: dict[str, str] = {}
        self.public: dict[tuple[str, str], str] = {}
        for family in FAMILIES:
            source = _source(family)
            namespace = family.rpartition(".")[0]
            for name in _listed(source):
                self.public[namespace, name] = family
            for name in _declared(source):
                self.ops[name] = family


def _source(family: str) -> str:
    """A family's source text, read through the package's loader because the package may be in a zip archive."""
    loader: Any = globals()["__loader__"]
    path = os.path.join(os.path.dirname(__file__), *family.split(".")) + ".py"
    text: str = loader.get_data(path).decode("utf-8")
    return text


def _listed(source: str) -> list[str]:
    """The names in a module's ``__all__``."""
    import re

    block = re.search(r"^__all__ = \[(.*?)\]", source, re.DOTALL | re.MULTILINE)
    return re.findall(r'"(\w+)"', block[1]) if block else []


def _declared(source: str) -> list[str]:
    """The names of the ops that a module declares; a trailing underscore is not part of the name."""
    import re

    return [name.rstrip("_") for name in re.findall(r"^@op\(.*?^def (\w+)\(", source, re.DOTALL | re.MULTILINE)]


@cache
def _index() -> _Index:
    """The index, built when the first name is used."""
    return _Index()


def load(family: str) -> Any:
    """The module of a family, which is imported if necessary."""
    with tables.registering:
        return importlib.import_module(f"{__package__}.{family}")


def declare(name: str) -> None:
    """Load the family that declares the op ``name``, if any does."""
    family = _index().ops.get(name)
    if family is not None:
        load(family)


def declare_all() -> None:
    """Load every family."""
    for family in FAMILIES:
        load(family)


def find(namespace: str, name: str) -> Any:
    """The object with the public name ``name``; its family is loaded if necessary.

    Args:
        namespace: ``""`` for polytape itself, otherwise the subpackage, such as ``nn``.
        name: a public name.
    Raises:
        AttributeError: no family of that namespace has the name; `polytape.foreign_names` may know ours.
    """
    family = _index().public.get((namespace, name))
    if family is None:
        raise foreign_names.unknown(namespace, name)
    return getattr(load(family), name)


def public_names(namespace: str) -> list[str]:
    """The public names in a namespace; no family is loaded."""
    return [name for owner, name in _index().public if owner == namespace]


def bind() -> None:
    """Load the families in `BOUND`, and bind the ops that Tensor's operators and the backward pass call."""
    from ..tensors.tensor import Tensor, operators

    arithmetic, indexing, linalg, logic, manipulation, reduction = [load(family) for family in BOUND]
    for family, names in (
        (arithmetic, "add subtract multiply divide power negative abs"),
        (logic, "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_not"),
        (linalg, "matmul"),
        (reduction, "sum"),
        (manipulation, "reshape broadcast_to identity stop_gradient astype concat"),
    ):
        for name in names.split():
            setattr(operators, name, getattr(family, name))
    operators.getitem = indexing.index
    operators.setitem = indexing.setitem
    operators.transpose = linalg.matrix_transpose
    # mypyc 2.4 leaves the slot behind operator.index() empty; assigning the method fills it.
    setattr(Tensor, "__index__", Tensor.__dict__["__index__"])  # noqa: B010  # type checkers reject an assignment
    foreign_names.add_to_tensor(Tensor)

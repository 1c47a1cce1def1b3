"""Families of ops: which module declares an op. A family loads when one of its names is first used.

A family is a module of this package. Its ``__all__`` lists its public names, which appear in `polytape`; those of a
family in a subpackage, such as ``nn``, appear in the namespace of the same name, `polytape.nn`. Families load lazily
because declaring an op takes about 20 us. `polytape.ops.table`, which tools/write_op_table.py writes, finds a name's
family without importing the others. The families in `BOUND` load together, with the first backend: Tensor's operators
and the backward pass call their ops.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final

from .. import foreign_names
from ..registry import tables

__all__ = ["BOUND", "bind", "declare", "declare_all", "find", "lazy_namespace", "public_names"]

# Modules below polytape.ops.
BOUND: Final = ("arithmetic", "indexing", "logic", "manipulation", "products", "reduction")


class _Index:
    """The family of each op name, and of each pair of namespace and public name."""

    def __init__(self) -> None:
        from .table import FAMILIES

        self.families: tuple[str, ...] = tuple(FAMILIES)
        self.ops: dict[str, str] = {}
        self.public: dict[tuple[str, str], str] = {}
        for family, (ops, public) in FAMILIES.items():
            namespace = family.rpartition(".")[0]
            self.ops.update(dict.fromkeys(ops.split(), family))
            self.public.update({(namespace, name): family for name in public.split()})


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
    for family in _index().families:
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
    from ..dispatch.items import Items
    from ..tensors.tensor import Tensor, operators
    from . import methods
    from .keys import split_key

    arithmetic, indexing, logic, manipulation, products, reduction = [load(family) for family in BOUND]
    for family, names in (
        (arithmetic, "add subtract multiply divide power negative abs"),
        (logic, "equal not_equal less less_equal greater greater_equal"),
        (products, "matmul"),
        (reduction, "sum"),
        (manipulation, "reshape broadcast_to identity stop_gradient concat"),
    ):
        for name in names.split():
            setattr(operators, name, getattr(family, name))
    operators.astype = manipulation.astype_
    operators.real = lambda x: find("", "real")(x)
    operators.items = Items(indexing.getitem, indexing.setitem_, lambda key: split_key(key)[0])
    operators.getitem = indexing.index
    operators.setitem = indexing.setitem
    operators.transpose = products.matrix_transpose
    # mypyc 2.4 leaves the slot behind operator.index() empty; assigning the method fills it.
    setattr(Tensor, "__index__", Tensor.__dict__["__index__"])  # noqa: B010  # type checkers reject an assignment
    methods.add_methods(Tensor, partial(find, ""))
    foreign_names.add_to_tensor(Tensor)


def lazy_namespace(
    namespace: str, values: dict[str, Any], shared: str = ""
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The functions ``__getattr__`` and ``__dir__`` of the module that shows the public names of a namespace.

    Args:
        namespace: for example ``nn``, for the families in ``polytape.ops.nn``.
        values: the module's ``globals()``, which keep what was found.
        shared: names of polytape itself that the namespace has as well.
    """
    others = shared.split()

    def names() -> list[str]:
        return sorted({*others, *public_names(namespace)})

    def get(name: str) -> Any:
        if name == "__all__":
            return names()
        value = values[name] = find("" if name in others else namespace, name)
        return value

    return get, lambda: sorted({*values, *names()})

"""``x[key]`` and ``x[key] = value`` without an op, where the native array's own indexing does the same.

A key of integers, slices, None and ``...`` is passed to the array as it is: the ops would first make a template of it
and run the shape rule, which takes ten times as long as the access itself. Anything else, errors included, is left to
the ops `getitem` and `setitem`.
"""

from __future__ import annotations

import sys
from _thread import _count  # the threads beside the main one
from collections.abc import Callable
from typing import Any, Final

from ..autodiff.gradient_plan import plan_of_few
from ..autodiff.record import active_tapes, record
from ..dtypes import FLOATING
from ..registry.op import ItemAccess, Op
from ..registry.resolution import Resolution
from ..tensors.scope import NO_SCOPE, current_scope
from ..tensors.tensor import COMPILING, Tensor

__all__ = ["Items"]


class Items(ItemAccess):
    """Item access by basic keys.

    Args:
        getitem, setitem: the ops.
        template: ``(key) -> template``, the attribute of the ops, for the records of tapes.
    """

    __slots__ = ("getitem", "setitem", "template")

    def __init__(self, getitem: Op, setitem: Op, template: Callable[[Any], Any]) -> None:
        self.getitem: Final[Op] = getitem
        self.setitem: Final[Op] = setitem
        self.template: Final[Any] = template

    def get(self, x: Tensor, key: Any) -> Tensor | None:
        """``x[key]``; None if the op has to serve it."""
        tensor_type = x.type
        resolution = self.getitem.table.get(tensor_type)
        if resolution is None or not resolution.native_indexing:
            return None
        array = x.array
        if type(array) is not resolution.array_type or not is_basic(key):
            return None
        try:
            result = array[key]
        except (IndexError, TypeError, ValueError):
            return None  # the op says what is wrong with the key
        if type(result) is not resolution.array_type:
            result = tensor_type.lift(result)
        if x.node is None or tensor_type.category < FLOATING:
            return Tensor(result, tensor_type, None)
        return self.follow(x, key, resolution, result)

    def follow(self, x: Tensor, key: Any, resolution: Resolution, result: Any) -> Tensor | None:
        """The result of `get`, recorded on the tapes that follow ``x``."""
        scope = current_scope.get()
        if scope.trace is not None:
            return None
        tapes = () if scope is NO_SCOPE else active_tapes(x, scope)
        if not tapes:
            return Tensor(result, x.type, None)
        attributes = {"key": self.template(key)}
        plan = plan_of_few(self.getitem, 1, 1)
        node = record(self.getitem, resolution, plan, tapes, (x.node,), (x.array,), attributes, result)
        return Tensor(result, x.type, node)

    def set(self, x: Tensor, key: Any, value: Any) -> bool:
        """Do ``x[key] = value``; False if the op has to do it.

        The array is overwritten if nothing else refers to it. Only compiled code may do that: in Python, a signal
        handler or another thread could run after the count of references. NumPy may release the global lock while it
        writes several elements, so that happens only if there is no other thread.
        """
        tensor_type = x.type
        resolution = self.setitem.table.get(tensor_type)
        if not COMPILING or resolution is None or not resolution.native_indexing or x.node is not None:
            return False
        array_type = resolution.array_type
        if type(x.array) is not array_type or not is_basic(key) or current_scope.get().trace is not None:
            return False
        if isinstance(value, Tensor):
            if value.type is not tensor_type or value.node is not None or value is x:
                return False
            new = value.array
            if type(new) is not array_type:
                return False
        elif tensor_type.takes(value) and tensor_type.fits(value):
            new = tensor_type.scalar(value)
        else:
            return False
        try:
            shape = x.array[key].shape
        except (IndexError, TypeError, ValueError):
            return False
        if new.shape and new.shape != shape:
            return False
        in_place = references(x) == SINGLE and (not shape or _count() == 0)
        if not in_place or not tensor_type.backend.exclusive(x.array):
            x.array = tensor_type.backend.copy(x.array, tensor_type.device)
        x.array[key] = new
        return True


def is_basic(key: Any) -> bool:
    """Whether a key consists of integers, slices, None and ``...`` alone."""
    cls = type(key)
    if cls is int or cls is slice or key is None or key is Ellipsis:
        return True
    if cls is not tuple:
        return False
    for part in key:
        cls = type(part)
        if cls is not int and cls is not slice and part is not None and part is not Ellipsis:
            return False
    return True


class Holder:
    """Holds an array as a tensor does."""

    __slots__ = ("array",)

    def __init__(self, array: Any) -> None:
        self.array: Any = array


def references(holder: Any) -> int:
    """The reference count of the array of a tensor, including the references that this call adds."""
    return sys.getrefcount(holder.array)


# What the call itself adds to the count differs between interpreted and compiled code, so it is measured.
SINGLE: Final[int] = references(Holder([]))

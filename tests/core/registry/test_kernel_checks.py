"""Kernels that do not fit their op are rejected when they are registered, with the kernel and the op in the error."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import RegistrationError
from polytape.registry import tables
from polytape.registry.kernel_checks import kernel_signature


def defaults(x: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """A kernel for sum that only has the right signature."""
    return x


class Callable_:
    """A callable object."""

    def __call__(self, x: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        return x

    def method(self, x: Any, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
        return x


# Op, function, options of the kernel, part of the error.
BAD: list[tuple[str, Any, dict[str, Any], str]] = [
    ("tanhh", np.tanh, {}, "there is no such op"),
    ("tanh", 3, {}, "it is not callable"),
    ("tanh", np.tanh, {"when": 3}, "its predicate is not callable"),
    ("tanh", np.tanh, {"writes": ["z"]}, "it writes something that is not an operand"),
    ("tanh", np.tanh, {"dtypes": ["float31"]}, "'float31' is neither a dtype nor a kind of dtypes"),
    ("add", np.add, {"dtypes": [("float32", "float32", "float32")]}, "a tuple in dtypes has 3 entries"),
    ("tanh", np.tanh, {"devices": ["GPU"]}, "it names an invalid device kind"),
    ("tanh", np.tanh, {"devices": ["gpu:0"]}, "it names an invalid device kind"),
    # operands
    ("tanh", np.add, {}, "it is a ufunc"),
    ("add", np.tanh, {}, "it is a ufunc"),
    ("sum", np.negative, {}, "it is a ufunc"),
    ("tanh", np.tanh, {"checked": False}, "it is a ufunc"),
    ("add", lambda x: x, {}, "it takes 1 operand, not 2"),
    ("tanh", lambda: 0, {}, "it takes 0 operands, not 1"),
    ("tanh", lambda x, y, /: x, {}, "it has a required parameter y after the operands"),
    ("tanh", lambda x, y: x, {}, "it has a parameter y, which is not an attribute of tanh"),
    ("sum", lambda axis, x=None, dtype=None, keepdims=False: x, {}, "the attribute axis in the place of an operand"),
    ("concat", lambda x1, x2, *, axis=0: x1, {}, "takes no \\*arrays: concat takes any number of operands"),
    # attributes
    ("sum", lambda x, *, axis=None, dtype=None: x, {}, "it does not accept the attribute keepdims"),
    ("sum", lambda x, *, axis=None, keepdims=False: x, {}, "it does not accept the attribute dtype"),
    ("sum", lambda x, axis=None, dtype=None, keepdims=False, /: x, {}, "it does not accept the attribute axis"),
    ("sum", lambda x, *, axis, dtype, keepdims=False: x, {}, "it has no default for axis"),
    ("sum", lambda x, *, axis=0, dtype=None, keepdims=False: x, {}, "it has another default for axis than sum"),
    ("sum", lambda x, axis=0, dtype=None, keepdims=False: x, {}, "it has another default for axis than sum"),
    ("sum", lambda x, *, axis=None, how=1, dtype=None, keepdims=False: x, {}, "a parameter how, which is not an attr"),
    # what the options of the kernel promise
    ("tanh", lambda x: x, {"checked": False}, "it does not accept spec="),
    ("tanh", lambda x, *, spec: x, {}, "it has a parameter spec, which is not an attribute of tanh"),
    ("tanh", lambda x: x, {"out": True}, "it does not accept out="),
    ("tanh", lambda x, *, out: x, {"out": True}, "it has no default for out"),
    # predicates
    ("sum", defaults, {"when": lambda x: True}, "its predicate <lambda> does not accept the attribute axis"),
    ("add", np.add, {"when": lambda x: True}, "its predicate <lambda> takes 1 operand, not 2"),
    ("sum", defaults, {"when": lambda x, axis=0, keepdims=False: True}, "has another default for axis than sum"),
    # functions whose signature Python reads
    ("sum", functools.partial(defaults, axis=0), {}, "it has another default for axis than sum"),
    ("sum", Callable_().method, {"checked": False}, "it does not accept spec="),
    ("add", Callable_(), {}, "it takes 1 operand, not 2"),
]


@pytest.mark.parametrize(("op", "fn", "options", "text"), BAD, ids=[row[3] for row in BAD])
def test_a_kernel_that_does_not_fit_its_op_is_rejected(op: str, fn: Any, options: Any, text: str) -> None:
    pt.asarray(0.0)
    before = tables.kernels_of("numpy", op)
    kernel = pt.Kernel(op, fn, backend="numpy", priority=1, **options)
    with pytest.raises(RegistrationError, match=text) as caught:
        tables.add_kernels([kernel], "polytape-acme")
    assert tables.kernels_of("numpy", op) == before
    assert caught.value.summary.startswith(f"Kernel({op!r}, ") and "from polytape-acme" in caught.value.summary
    assert caught.value.expected and caught.value.got and caught.value.fix


GOOD: list[tuple[str, Any, dict[str, Any]]] = [
    ("tanh", np.tanh, {}),
    ("tanh", lambda *arrays, **attributes: arrays[0], {}),
    ("tanh", lambda x, *, spec: x, {"checked": False}),
    ("tanh", lambda a, spec: a, {"checked": False}),
    ("tanh", lambda x, out=None: x, {"out": True}),
    ("tanh", lambda x, spec=None, out=None, scale=1: x, {}),
    ("sum", defaults, {"when": lambda x, axis=None, keepdims=False: True}),
    ("sum", lambda x, axis=None, dtype=None, keepdims=0: x, {}),
    ("sum", functools.partial(defaults), {}),
    ("sum", functools.wraps(defaults)(lambda *arrays, **attributes: arrays[0]), {}),
    ("sum", Callable_(), {}),
    ("sum", Callable_().method, {}),
    ("concat", lambda *arrays, axis=0: arrays[0], {}),
    ("where", lambda c, a, b: a, {}),
    ("full", lambda *, shape, fill_value, dtype, device: shape, {}),
    ("abs", abs, {}),
    ("abs", max, {}),  # it does not tell its parameters, so it is taken as it is
]


@pytest.mark.parametrize(("op", "fn", "options"), GOOD)
def test_a_kernel_that_core_can_call_is_registered(op: str, fn: Any, options: Any) -> None:
    with pt.kernel(op, backend="numpy", priority=1, **options)(fn) as registered:
        assert registered.kernel in tables.kernels_of("numpy", op)


def test_the_error_shows_the_signature_that_core_needs() -> None:
    with pytest.raises(RegistrationError) as caught:
        pt.kernel("sum", backend="numpy", priority=1, checked=False)(lambda x: x)
    assert caught.value.expected == "sum(x, *, axis=None, dtype, keepdims=False, spec)"
    assert caught.value.got == "<lambda>(x)"


def test_signatures_show_sequences_defaults_and_what_core_always_passes() -> None:
    ops = tables.ops()
    assert kernel_signature(ops["concat"]) == "(*arrays, axis=0)"
    assert kernel_signature(ops["add"]) == "(x1, x2)"
    assert kernel_signature(ops["full"]) == "(*, shape, fill_value, dtype, device)"
    assert kernel_signature(ops["sum"], predicate=True) == "(x, *, axis=None, keepdims=False)"
    assert kernel_signature(ops["tanh"], spec=True, out=True) == "(x, *, spec, out=None)"

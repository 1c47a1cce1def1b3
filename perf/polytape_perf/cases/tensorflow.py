"""The eager microbenchmarks of TensorFlow 1.7, with their names and shapes, as calls of polytape.

Those that time TensorFlow's own internals (``gen_math_ops``, ``TFE_Py_Execute``) and its asynchronous mode have no
counterpart. ``defun`` is `polytape.function`.

Source:
    TensorFlow 1.7, tensorflow/python/eager/benchmarks_test.py (2018).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

import polytape as pt

from .case import Call, Case, Skipped, check, numbers

__all__ = ["CASES"]

SHAPES: Final[dict[str, tuple[tuple[int, int], bool]]] = {"2_by_2": ((2, 2), False), "100_by_784": ((100, 784), True)}


def _checked(call: Callable[[], Any], expected: Any) -> Call:
    check(call(), expected)
    return call


def _numpy(call: Callable[[], Any]) -> Callable[[str], Call]:
    """NumPy's own time beside the others."""

    def make(device: str) -> Call:
        if device.partition(":")[0] != "numpy":
            raise Skipped("it runs no device; see numpy")
        return call

    return make


def _creation(value: Any, dtype: str) -> Callable[[str], Call]:
    def make(device: str) -> Call:
        return _checked(lambda: pt.asarray(value, dtype=dtype, device=device), value)

    return make


def _one(call: Callable[[Any], Any], reference: Callable[[Any], Any], *shape: int) -> Callable[[str], Call]:
    """A case of one tensor."""

    def make(device: str) -> Call:
        host = numbers(*shape)
        x = pt.asarray(host, device=device)
        return _checked(lambda: call(x), reference(host))

    return make


def index_with_tensor(device: str) -> Call:
    """An element at a position that is a tensor."""
    x, position = pt.asarray([3.0], device=device), pt.asarray(0, device=device)
    return _checked(lambda: x[position], 3.0)


def push_pop(device: str) -> Call:
    """A tape that records nothing."""

    def call() -> Any:
        with pt.GradientTape() as tape:
            pass
        return tape

    x = pt.asarray(1.0, device=device)
    with call() as tape:
        tape.watch(x)
        y = x * 2.0
    check(tape.gradient(y, x), 2.0)
    return call


def read_variable(device: str) -> Call:
    """A variable's value."""
    variable = pt.Variable(numbers(2, 2), device=device)
    return _checked(lambda: variable.read_value(), numbers(2, 2))


# --- matrix products: A times A, or times its transpose ------------------------------------------------------------


def _product(m: Any, transposed: bool) -> Any:
    return pt.matmul(m, pt.matrix_transpose(m) if transposed else m)


def _matmul(shape: tuple[int, int], transposed: bool, wrap: Callable[[Any], Any]) -> Callable[[str], Call]:
    """A product in a function that ``wrap`` makes."""

    def make(device: str) -> Call:
        host = numbers(*shape)
        m = pt.asarray(host, device=device)
        f = wrap(lambda m: _product(m, transposed))
        return _checked(lambda: f(m), host @ (host.T if transposed else host))

    return make


def _nested(f: Any) -> Any:
    inner = pt.function(f)
    return pt.function(lambda m: inner(m) + 0.0)


def _matmul_of_variable(taped: bool) -> Callable[[str], Call]:
    def make(device: str) -> Call:
        host = numbers(2, 2)
        m = pt.Variable(host, device=device)

        def call() -> Any:
            if not taped:
                return pt.matmul(m, m)
            with pt.GradientTape():
                return pt.matmul(m, m)

        return _checked(call, host @ host)

    return make


def _forward_backward(shape: tuple[int, int], transposed: bool) -> Callable[[str], Call]:
    def make(device: str) -> Call:
        host = numbers(*shape)
        m = pt.asarray(host, device=device)
        f = pt.function(lambda m: _product(m, transposed))

        def call() -> Any:
            with pt.GradientTape() as tape:
                tape.watch(m)
                y = f(m)
            return tape.gradient(y, m)

        sums = np.full((shape[0], shape[0]), 1.0, "f4")
        return _checked(call, 2 * sums @ host if transposed else sums @ host.T + host.T @ sums)

    return make


def _eight_arguments(device: str) -> Call:
    """A function of eight tensors that uses one."""
    x = pt.asarray(0.0, device=device)
    f = pt.function(lambda a, b, c, d, e, f, g, h: a + 1.0)
    return _checked(lambda: f(x, x, x, x, x, x, x, x), 1.0)


def _plain(f: Any) -> Any:
    return f


def _cases() -> dict[str, Callable[[str], Call]]:
    small, vector = np.array([[3.0]], "f4"), numbers(2)
    found = {
        "create_np_array": _numpy(lambda: np.array([3.0])),
        "create_float_constant": _creation(42.0, "float32"),
        "create_int32_constant": _creation(42, "int32"),
        "create_float_tensor_from_list": _creation([[3.0]], "float32"),
        "create_float_tensor_from_np_array": _creation(small, "float32"),
        "create_int32_tensor_from_list": _creation([[3]], "int32"),
        "create_int32_tensor_from_np_array": _creation(small.astype("i4"), "int32"),
        "index_tensor_with_literal": _one(lambda x: x[0], lambda x: x[0], 1),
        "index_tensor_with_tensor": index_with_tensor,
        "np_multiply": _numpy(lambda: vector * vector),
        "tf_multiply": _one(lambda x: x * x, lambda x: x * x, 2),
        "tf_multiply_op": _one(lambda x: pt.multiply(x, x), lambda x: x * x, 2),
        "tf_identity": _one(lambda x: pt.positive(x), lambda x: x, 2),
        "tf_gradient_function_identity": _one(lambda x: pt.gradients_function(pt.positive)(x)[0], np.ones_like, 2),
        "tf_gradient_function_no_op": _one(lambda x: pt.gradients_function(lambda x: x)(x)[0], np.ones_like, 2),
        "tf_gradient_tape_push_pop": push_pop,
        "read_variable_2_by_2": read_variable,
        "matmul_read_variable_2_by_2": _matmul_of_variable(False),
        "matmul_read_variable_with_tape_2_by_2": _matmul_of_variable(True),
        "tf_zeros_like": _one(lambda x: pt.zeros_like(x), np.zeros_like, 2, 2),
        "tf_transpose_2_by_2": _one(lambda x: pt.matrix_transpose(x), lambda x: x.T, 2, 2),
        "tf_reduce_logsumexp": _one(lambda x: pt.special.logsumexp(x), lambda x: np.log(np.exp(x).sum()), 2, 2),
        "tf_tensordot": _one(lambda x: pt.tensordot(x, x, axes=1), lambda x: x @ x, 2, 2),
        "defun_without_signature": _eight_arguments,
    }
    for name, (shape, transposed) in SHAPES.items():
        host = numbers(*shape)
        other = host.T if transposed else host
        found |= {
            f"np_matmul_{name}": _numpy(lambda host=host, other=other: host @ other),  # type: ignore[misc]
            f"tf_matmul_{name}": _matmul(shape, transposed, _plain),
            f"defun_matmul_{name}": _matmul(shape, transposed, pt.function),
            f"nested_defun_matmul_{name}": _matmul(shape, transposed, _nested),
            f"defun_matmul_forward_backward_{name}": _forward_backward(shape, transposed),
        }
    return found


CASES: Final = tuple(
    Case(f"tensorflow/{name}", make, panel=name == "defun_matmul_forward_backward_2_by_2")
    for name, make in _cases().items()
)

"""Wrong arguments of jacobian and its relatives are rejected before anything is computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import polytape as pt
from polytape.errors import DTypeError, SettingError

X = pt.asarray([1.0, 2.0])


@pytest.mark.parametrize(
    "call",
    [
        lambda y: pt.jacobian(y),
        lambda y: pt.hessian(y),
        lambda y: pt.batch_jacobian(y),
        lambda y: pt.vmap(y),
        lambda y: pt.recompute(y),
        lambda y: pt.jvp(y, (X,), (X,)),
        lambda y: pt.hvp(y, (X,), (X,)),
        lambda y: pt.linearize(y, X),
    ],
)
def test_a_result_in_the_place_of_the_function_is_rejected(call: Callable[[Any], Any]) -> None:
    with pytest.raises(DTypeError, match="pass the function itself, not a result of it"):
        call(X * X)


@pytest.mark.parametrize("transform", [pt.jacobian, pt.hessian, pt.batch_jacobian])
def test_the_arguments_in_the_place_of_params_are_rejected(transform: Any) -> None:
    # torch.autograd.functional.jacobian(f, x) takes them there.
    for x in (X, (X, X), 2.0):
        with pytest.raises(DTypeError, match=r"returns a function, to which the arguments are passed: \w+\(f\)\(x\)"):
            transform(lambda x: x, x)


@pytest.mark.parametrize("x", [pt.asarray([1, 2]), "x", None, [pt.asarray(True)]])
def test_an_argument_without_derivative_is_rejected_if_it_is_chosen(x: Any) -> None:
    def f(a: Any, b: Any) -> Any:
        return b * b

    for transform in (pt.jacobian, pt.batch_jacobian, pt.hessian):
        with pytest.raises(DTypeError, match="there is no derivative with respect to"):
            transform(f)(x, X)
    missing, found = pt.jacobian(f, None)(x, X)
    assert missing == ([None] if isinstance(x, list) else None)
    assert found.tolist() == [[2.0, 0.0], [0.0, 4.0]]


def test_a_complex_direction_or_weight_of_a_real_tensor_is_rejected() -> None:
    with pytest.raises(DTypeError, match="a real one, as the tensor is real"):
        pt.jvp(lambda x: x, (X,), (pt.asarray([1j, 0.0]),))
    with pt.GradientTape() as tape:
        tape.watch(X)
        y = X * X
    with pytest.raises(DTypeError, match="a real one, as the tensor is real"):
        tape.gradient(y, X, pt.asarray([1j, 0.0]))
    _, real = pt.jvp(lambda z: z, (pt.asarray([1j, 2.0]),), (X,))
    assert real.tolist() == [1.0 + 0j, 2.0 + 0j]


@pytest.mark.parametrize("size", [0, -1, 1.5, True])
def test_a_chunk_size_that_is_no_positive_int_is_rejected(size: Any) -> None:
    with pytest.raises(SettingError, match="chunk_size"):
        pt.jacobian(lambda x: x, chunk_size=size)(X)
    with pytest.raises(SettingError, match="chunk_size"):
        pt.vmap(lambda x: x, chunk_size=size)
    with pt.GradientTape() as tape:
        tape.watch(X)
        y = X * X
    with pytest.raises(SettingError, match="chunk_size"):
        tape.jacobian(y, X, chunk_size=size)

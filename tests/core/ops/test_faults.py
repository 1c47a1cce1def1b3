"""Results that were wrong, imprecise or of an unclear type in other libraries or in version 0.1.0, on every backend."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, OutOfRangeError


def gradient(f: Callable[[pt.Tensor], pt.Tensor], x: Any) -> list[Any]:
    source = pt.asarray(x)
    with pt.GradientTape() as tape:
        tape.watch(source)
        y = f(source)
    result: list[Any] = tape.gradient(y, source).tolist()
    return result


# --- indexing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("traced", [False, True])
def test_the_last_value_assigned_to_an_element_stays_in_value_and_gradient(backend: str, traced: bool) -> None:
    def f(w: pt.Tensor) -> pt.Tensor:
        y = pt.zeros((3,))
        y[np.array([1, 1])] = w
        return y * pt.asarray([1.0, 40.0, 1.0])

    with pt.device(backend):
        run = pt.function(f) if traced else f
        assert run(pt.asarray([5.0, 7.0])).tolist() == [0.0, 280.0, 0.0]
        assert gradient(run, [5.0, 7.0]) == [0.0, 40.0]


def test_repeated_rows_columns_and_broadcast_values(backend: str) -> None:
    def f(w: pt.Tensor) -> pt.Tensor:
        y = pt.zeros((3, 2))
        y[np.array([2, 0, 2])] = w
        return y

    with pt.device(backend):
        assert f(pt.asarray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])).tolist() == [[3.0, 4.0], [0.0, 0.0], [5.0, 6.0]]
        assert gradient(f, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]) == [[0.0, 0.0], [1.0, 1.0], [1.0, 1.0]]
        assert gradient(f, [1.0, 2.0]) == [2.0, 2.0]


# --- reductions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [200_000, pytest.param(20_000_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_sums_of_tall_float32_arrays_have_small_errors(name: str, rows: int) -> None:
    host = np.full((rows, 2), 0.1, "float32")
    exact = host[0].astype("float64") * rows
    with pt.device(name):
        x = pt.asarray(host, copy=False)
        for result, expected in ((pt.sum(x, axis=0), exact), (pt.mean(x, axis=0), exact / rows)):
            np.testing.assert_allclose(result.numpy(), expected, rtol=1e-6)
        np.testing.assert_allclose(float(pt.sum(x)), exact.sum(), rtol=1e-6)
        bias = pt.Variable(np.zeros(2, "float32"))
        with pt.GradientTape() as tape:
            loss = pt.sum((x + bias) * x)
        np.testing.assert_allclose(tape.gradient(loss, bias).numpy(), exact, rtol=1e-6)


def test_softmax_along_a_long_first_axis_sums_to_one(backend: str) -> None:
    with pt.device(backend):
        y = pt.nn.softmax(pt.zeros((100_000, 2)), axis=0)
        np.testing.assert_allclose(np.sum(y.numpy(), axis=0, dtype="float64"), 1.0, rtol=1e-6)


# --- dtypes and special values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [pt.exp, pt.log, pt.sqrt, pt.tanh, pt.log1p, pt.mean, pt.nn.sigmoid, pt.nn.softmax])
@pytest.mark.parametrize("host", [np.array([1, 4]), np.array([1, 4], "int8"), np.array([True, True])], ids=str)
def test_floating_functions_of_integers_are_float32(f: Any, host: Any, backend: str) -> None:
    with pt.device(backend):
        y = f(pt.asarray(host))
        expected = f(pt.asarray(host.astype("float32")))
        assert y.dtype == pt.float32
        np.testing.assert_allclose(y.numpy(), expected.numpy(), rtol=1e-6)


def test_relu_and_sign_keep_integers_and_reject_bools(backend: str) -> None:
    with pt.device(backend):
        assert pt.nn.relu(pt.asarray([-2, 3])).tolist() == [0, 3]
        assert pt.sign(pt.asarray([-2, 3])).tolist() == [-1, 1]
        for f in (pt.nn.relu, pt.sign):
            with pytest.raises(DTypeError):
                f(pt.asarray([True]))


def test_float16_and_bfloat16_promote_to_float32(backend: str) -> None:
    if "bfloat16" not in pt.get_backend(backend).dtypes:
        pytest.skip(f"{backend} has no bfloat16")
    with pt.device(backend):
        half, brain = pt.asarray([1.5], dtype="float16"), pt.asarray([2.0], dtype="bfloat16")
        for y in (half + brain, pt.maximum(brain, half)):
            assert y.dtype == pt.float32


@pytest.mark.parametrize("imaginary", [0.0, 1.0, 2.0, -2.0, 100.0])
@pytest.mark.parametrize("size", [1, 7, 64])
def test_tanh_of_a_complex_infinity_is_plus_or_minus_one(imaginary: float, size: int, backend: str) -> None:
    with pt.device(backend):
        y = pt.tanh(pt.asarray(np.full(size, complex(np.inf, imaginary), "complex64"))).numpy()
        z = pt.tanh(pt.asarray(np.full(size, complex(-np.inf, imaginary), "complex64"))).numpy()
    assert (y.real == 1.0).all() and (y.imag == 0.0).all()
    assert (z.real == -1.0).all() and (z.imag == 0.0).all()


@pytest.mark.parametrize(
    ("dtype", "number", "less", "equal"),
    [
        ("int8", 1000, True, False), ("int8", -1000, False, False), ("uint8", -1, False, False),
        ("int32", 2**40, True, False), ("int32", 0.5, False, False), ("int32", 1.5, True, False),
        ("uint64", -5.0, False, False), ("int8", 1, False, True),
    ],
)  # fmt: skip
def test_comparisons_with_numbers_out_of_range_are_mathematical(
    dtype: str, number: float, less: bool, equal: bool, backend: str
) -> None:
    with pt.device(backend):
        x = pt.asarray([1], dtype=dtype)
        assert (x < number).tolist() == [less] and (number > x).tolist() == [less]
        assert (x == number).tolist() == [equal] and (x != number).tolist() == [not equal]
        assert (x >= number).tolist() == [not less]


# --- intended underflow, empty axes, errors ---------------------------------------------------------------------------


@pytest.mark.parametrize("f", [pt.nn.softmax, pt.nn.log_softmax, pt.nn.sigmoid], ids=lambda f: f.name)
def test_intended_underflow_is_not_reported(f: Any, backend: str) -> None:
    with pt.device(backend), np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        for scale in (1.0, 100.0, 1e4):
            assert np.isfinite(f(pt.asarray([[-scale, 0.0, scale]])).numpy()).all()
            assert np.isfinite(gradient(f, [[-scale, 0.0, scale]])).all()


@pytest.mark.parametrize("f", [pt.nn.softmax, pt.nn.log_softmax], ids=lambda f: f.name)
@pytest.mark.parametrize("shape", [(2, 0), (0, 3), (0,)])
def test_softmax_of_no_classes_is_empty(f: Any, shape: tuple[int, ...], backend: str) -> None:
    with pt.device(backend):
        assert f(pt.zeros(shape)).shape == shape


def test_a_label_out_of_range_is_an_error(backend: str) -> None:
    if backend in ("cupy", "sim"):
        pytest.skip(f"{backend} does not check the values of index arrays")
    with pt.device(backend), pytest.raises(OutOfRangeError, match="a label is out of range"):
        pt.nn.sparse_softmax_cross_entropy_with_logits(labels=pt.asarray([0, 3]), logits=pt.zeros((2, 3)))


def test_the_gradient_of_concat_takes_one_slice_per_operand() -> None:
    slices = []
    getitem = next(kernel.fn for kernel in pt.get_backend("numpy").all_kernels() if kernel.op == "getitem")

    def counted(x: Any, *indices: Any, key: Any) -> Any:
        slices.append(x.shape)
        return getitem(x, *indices, key=key)

    kernels = [pt.Kernel("getitem", counted)]
    with pt.register_backend(pt.Backend(name="counting", extends="numpy", kernels=kernels)), pt.device("counting"):
        parts = [pt.asarray([float(k)]) for k in range(100)]
        with pt.GradientTape() as tape:
            tape.watch(parts)
            y = pt.concat(parts) * pt.arange(100, dtype="float32")
        gradients = tape.gradient(y, parts)
    assert [g.item() for g in gradients] == list(range(100))
    assert len(slices) <= 100

"""The kernels of polytape_numpy, called as functions, against NumPy in float64 and SciPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special

from polytape.device import get_device
from polytape.registry import tables
from polytape_numpy.kernels import build

Array = np.ndarray[Any, Any]

KERNELS: dict[str, Callable[..., Any]] = {kernel.op: kernel.fn for kernel in build(np)}
CPU = get_device("numpy", "cpu", 0)
FLOATS = ("float16", "float32", "float64")
RTOL = {"float16": 2e-3, "float32": 2e-6, "float64": 1e-13}


def _floats(*shape: int, dtype: str = "float32", seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def test_build_returns_a_kernel_for_each_op_and_another_for_dtypes_that_need_it() -> None:
    names = [kernel.op for kernel in build(np)]
    assert {"add", "softmax", "svd", "fft", "conv", "random_bits"} <= set(names)
    for name in {name for name in names if names.count(name) > 1}:
        dtypes = [kernel.dtypes for kernel in build(np) if kernel.op == name]
        assert len(set(dtypes)) == len(dtypes), name
    written = {kernel.op: kernel.writes for kernel in build(np) if kernel.writes}
    assert written["sgd_update"] == ("x",) and written["adam_update"] == ("x", "m", "v")
    for name, operands in written.items():
        assert operands == tables.get_op(name).operands[: len(operands)], name


def test_elementwise_kernels_are_ufuncs_without_wrappers() -> None:
    assert KERNELS["add"] is np.add
    assert KERNELS["sqrt"] is np.sqrt


@pytest.mark.parametrize("dtype", ["bool", "int8", "float16", "float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize(
    ("condition", "left", "right"),
    [((3,), (3,), ()), ((100, 100), (100, 100), (100, 100)), ((100, 100), (), (100,)), ((100, 100), (), ()),
     ((100, 100), (2, 100, 100), (1,)), ((2,), (100, 100, 2), (2,))],
)  # fmt: skip
def test_where_copies_the_bits_of_nan_and_signed_zeros(dtype: str, condition: Any, left: Any, right: Any) -> None:
    rng = np.random.default_rng(0)
    mask = rng.random(condition) < 0.5
    x1, x2 = (np.asarray(10 * rng.standard_normal(shape)).astype(dtype) for shape in (left, right))
    if x1.dtype.kind in "fc":
        x1, x2 = x1 * np.asarray(np.nan, dtype), np.asarray(-x2 * 0)  # NaN against signed zeros
    y = KERNELS["where"](mask, x1, x2)
    expected = np.where(mask, x1, x2)
    assert y.dtype == expected.dtype
    np.testing.assert_array_equal(y, expected)
    if x1.dtype.kind in "fc":
        np.testing.assert_array_equal(np.signbit(y.real), np.signbit(expected.real))


def test_where_rejects_shapes_that_do_not_broadcast() -> None:
    for shape in ((2,), (9_000,)):
        with pytest.raises(ValueError, match="broadcast"):
            KERNELS["where"](np.ones(shape, "bool"), np.ones((3,)), np.ones((3,)))


@pytest.mark.parametrize("value", [0, 0.0, -0.0, 2.5, True, 1 + 2j])
def test_full_keeps_the_value_and_the_sign_of_zero(value: Any) -> None:
    dtype = np.dtype("complex64" if type(value) is complex else "float32")
    y = KERNELS["full"](shape=(2, 3), fill_value=value, dtype=dtype, device=CPU)
    np.testing.assert_array_equal(y, np.full((2, 3), value, dtype))
    assert y.dtype == dtype
    assert np.signbit(y.real).all() == (str(value) == "-0.0")


def test_arange_does_not_accumulate_rounding_errors() -> None:
    y = KERNELS["arange"](start=1e6, stop=1e6 + 1, step=0.1, dtype=np.dtype("float32"), device=CPU)
    np.testing.assert_array_equal(y, np.arange(1e6, 1e6 + 1, 0.1).astype("float32"))
    y = KERNELS["arange"](start=5, stop=-1, step=-2, dtype=np.dtype("int32"), device=CPU)
    assert y.tolist() == [5, 3, 1]
    assert y.dtype == np.int32


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2), ()])
@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions_agree_with_float64(dtype: str, axis: Any, keepdims: bool) -> None:
    x = _floats(3, 4, 5, dtype=dtype)
    wide = x.astype("float64")
    options = {"axis": axis, "keepdims": keepdims}
    for name, expected in (("sum", wide.sum(**options)), ("mean", wide.mean(**options)), ("max", wide.max(**options))):
        extra = {"dtype": x.dtype} if name == "sum" else {}
        y = KERNELS[name](x, **options, **extra)
        assert y.dtype == x.dtype
        assert np.shape(y) == np.shape(expected)
        np.testing.assert_allclose(y, expected, rtol=RTOL[dtype], atol=10 * RTOL[dtype])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_sums_do_not_stagnate(dtype: str) -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    numpy_dtype = np.dtype(getattr(ml_dtypes, dtype, dtype))
    x = np.ones((4096, 2), numpy_dtype)
    assert KERNELS["sum"](x, axis=0, dtype=numpy_dtype).astype("float32").tolist() == [4096.0, 4096.0]
    mean = KERNELS["mean"](x)
    assert mean.dtype == numpy_dtype
    assert float(mean) == 1.0


def test_integer_and_bool_sums_have_the_resolved_dtype() -> None:
    y = KERNELS["sum"](np.ones(3, "bool"), dtype=np.dtype("int32"))
    assert (y.dtype, int(y)) == (np.dtype("int32"), 3)


def test_argmax_supports_axis_and_keepdims() -> None:
    x = _floats(3, 4)
    assert KERNELS["argmax"](x) == x.argmax()
    np.testing.assert_array_equal(KERNELS["argmax"](x, axis=1), x.argmax(1))
    assert KERNELS["argmax"](x, axis=0, keepdims=True).shape == (1, 4)
    assert KERNELS["argmax"](x).dtype == np.int64


@pytest.mark.parametrize("name", ["sum", "mean", "max", "argmax", "softmax", "log_softmax"])
def test_an_axis_is_rejected_for_rank_0(name: str) -> None:
    extra = {"dtype": np.dtype("float32")} if name == "sum" else {}
    for axis in (0, -1):
        with pytest.raises((ValueError, IndexError)):
            KERNELS[name](np.zeros((), "float32"), axis=axis, **extra)


@pytest.mark.parametrize(
    ("left", "right"),
    [((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((5, 2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)),
     ((5, 1, 2, 3), (6, 3, 4)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,)), ((0, 3), (3, 2)), ((2, 0), (0, 3)),
     ((4, 2, 0), (0, 3))],
)  # fmt: skip
def test_matmul_supports_every_rank(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    a, b = _floats(*left), _floats(*right, seed=1)
    y = KERNELS["matmul"](a, b)
    np.testing.assert_allclose(y, np.matmul(a.astype("float64"), b), rtol=1e-5, atol=1e-5)
    assert y.dtype == np.float32


@pytest.mark.parametrize(
    ("left", "right"), [((), ()), ((2,), ()), ((), (2,)), ((2, 3), (2, 3)), ((2, 2, 3), (4, 3)), ((6,), (2, 3))]
)
def test_matmul_rejects_shapes_that_do_not_match(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    with pytest.raises(ValueError):
        KERNELS["matmul"](_floats(*left), _floats(*right))


@pytest.mark.parametrize("shape", [(), (3,)])
@pytest.mark.parametrize("target", [(3,), (2, 3), (0, 3), (100, 100, 3)])
def test_broadcast_to_agrees_with_numpy(shape: tuple[int, ...], target: tuple[int, ...]) -> None:
    x = _floats(*shape)
    np.testing.assert_array_equal(KERNELS["broadcast_to"](x, shape=target), np.broadcast_to(x, target))


@pytest.mark.parametrize("shape", [(2,), (1, 3), (3, 1)])
def test_broadcast_to_rejects_shapes_that_do_not_broadcast(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError):
        KERNELS["broadcast_to"](_floats(*shape), shape=(3,))


def test_manipulation_agrees_with_numpy() -> None:
    x = _floats(2, 3, 4)
    np.testing.assert_array_equal(KERNELS["reshape"](x, shape=(4, -1)), x.reshape(4, 6))
    np.testing.assert_array_equal(KERNELS["permute_dims"](x, axes=(2, 0, 1)), x.transpose(2, 0, 1))
    np.testing.assert_array_equal(KERNELS["concat"](x, x), np.concatenate([x, x]))
    np.testing.assert_array_equal(KERNELS["concat"](x, x, axis=None), np.concatenate([x, x], axis=None))
    assert KERNELS["astype"](x, dtype=np.dtype("int8")).dtype == np.int8
    assert KERNELS["stop_gradient"](x) is KERNELS["identity"](x) is x


@pytest.mark.parametrize("axes", [(), (0,), (0, 0), (0, 2)])
def test_permute_dims_rejects_axes_that_are_not_a_permutation(axes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError):
        KERNELS["permute_dims"](_floats(2, 3), axes=axes)


@pytest.mark.parametrize("dtype", FLOATS)
def test_activations_agree_with_scipy_for_extreme_values_too(dtype: str) -> None:
    x = np.asarray([-np.inf, -700.0, -90.0, -20.0, -1.0, 0.0, 1.0, 20.0, 90.0, 700.0, np.inf], dtype)
    wide = x.astype("float64")
    tiny = float(np.finfo(dtype).smallest_normal)
    sigmoid = KERNELS["sigmoid"](x)
    np.testing.assert_allclose(sigmoid, scipy.special.expit(wide), rtol=RTOL[dtype], atol=tiny)
    np.testing.assert_array_equal(KERNELS["relu"](x), np.maximum(wide, 0))
    rows = x[1:-1].reshape(3, 3)
    for name in ("softmax", "log_softmax"):
        expected = getattr(scipy.special, name)(rows.astype("float64"), axis=-1)
        y = KERNELS[name](rows)
        assert y.dtype == x.dtype
        np.testing.assert_allclose(y, expected, rtol=RTOL[dtype], atol=RTOL[dtype])
        np.testing.assert_allclose(KERNELS[name](rows.T, axis=0), np.asarray(y).T)
    assert np.isnan(KERNELS["sigmoid"](np.asarray(np.nan, dtype)))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("lead", [(), (6,), (2, 3), (0,)])
def test_cross_entropy_and_its_gradient_agree_with_scipy(dtype: str, lead: tuple[int, ...]) -> None:
    logits = 10 * _floats(*lead, 5, dtype=dtype)
    labels = np.random.default_rng(1).integers(0, 5, lead)
    g = np.ones(lead, dtype)
    loss = KERNELS["sparse_softmax_cross_entropy_with_logits"](labels, logits)
    gradient = KERNELS["softmax_cross_entropy_gradient"](g, labels, logits)
    wide = logits.astype("float64")
    selected = np.take_along_axis(scipy.special.log_softmax(wide, axis=-1), labels[..., None], -1)[..., 0]
    assert (np.shape(loss), loss.dtype, gradient.dtype) == (lead, logits.dtype, logits.dtype)
    np.testing.assert_allclose(loss, -selected, rtol=5 * RTOL[dtype], atol=5 * RTOL[dtype])
    expected = scipy.special.softmax(wide, axis=-1) - np.eye(5)[labels]
    np.testing.assert_allclose(gradient, expected, rtol=RTOL[dtype], atol=5 * RTOL[dtype])


@pytest.mark.parametrize(("labels", "logits"), [((2,), (3, 4)), ((4,), (2, 2, 5)), ((), ())])
def test_cross_entropy_rejects_labels_that_do_not_match_the_logits(
    labels: tuple[int, ...], logits: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match="do not match logits"):
        KERNELS["sparse_softmax_cross_entropy_with_logits"](np.zeros(labels, int), np.zeros(logits, "float32"))


@pytest.mark.parametrize("label", [-1, 4])
def test_a_label_that_is_not_a_class_is_an_error(label: int) -> None:
    with pytest.raises(IndexError):
        KERNELS["sparse_softmax_cross_entropy_with_logits"](np.asarray([0, label]), _floats(2, 4))


def test_kernels_do_not_change_their_operands() -> None:
    x, labels, g = _floats(3, 4), np.asarray([0, 1, 2]), _floats(3)
    before = x.copy()
    for name in ("softmax", "log_softmax", "relu", "sigmoid", "mean", "max"):
        KERNELS[name](x)
    KERNELS["sparse_softmax_cross_entropy_with_logits"](labels, x)
    KERNELS["softmax_cross_entropy_gradient"](g, labels, x)
    np.testing.assert_array_equal(x, before)


def test_every_kernel_keeps_bfloat16() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    bfloat16 = np.dtype(ml_dtypes.bfloat16)
    x, labels = _floats(3, 4).astype(bfloat16), np.asarray([0, 1, 2])
    results = [KERNELS[name](x) for name in ("softmax", "log_softmax", "relu", "sigmoid", "mean", "max", "exp")]
    results += [
        KERNELS["matmul"](x, x.T),
        KERNELS["matmul"](x[None], x.T[None]),
        KERNELS["sparse_softmax_cross_entropy_with_logits"](labels, x),
        KERNELS["softmax_cross_entropy_gradient"](x[:, 0], labels, x),
        KERNELS["full"](shape=(2,), fill_value=1.5, dtype=bfloat16, device=CPU),
        KERNELS["arange"](start=0, stop=3, step=1, dtype=bfloat16, device=CPU),
    ]
    assert [result.dtype for result in results] == [bfloat16] * len(results)

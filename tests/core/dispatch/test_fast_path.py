"""The fast path: what it must not do, Python numbers as operands, foreign operands, errors from kernels."""

from __future__ import annotations

import functools
import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape import buildinfo
from polytape.errors import DTypeError, ShapeError
from polytape.registry import tables
from polytape.registry.tensor_type import SCALARS


def called(f: Any) -> list[str]:
    """The names of the Python functions that are called while ``f`` runs."""
    names: list[str] = []

    def profile(frame: Any, event: str, argument: object) -> None:
        if event == "call":
            names.append(f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_name}")

    sys.setprofile(profile)
    try:
        f()
    finally:
        sys.setprofile(None)
    return names[1:-1] if names and names[-1].endswith("setprofile") else names[1:]


# --- the fast path ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [lambda x: x + x, lambda x: pt.multiply(x, x), lambda x: x * 2.0, lambda x: -x, pt.exp, pt.sum, lambda x: 1 - x],
)
def test_a_plain_op_calls_no_hook_and_inspects_nothing(f: Any) -> None:
    x = pt.asarray(np.arange(10.0))
    f(x)
    names = called(lambda: f(x))
    allowed = ("polytape.tensors.", "polytape.dispatch.", "polytape.registry.")
    rest = [name for name in names if not name.startswith(allowed) and "kernels." not in name and __name__ not in name]
    assert [name for name in rest if not name.startswith(("numpy.", "polytape_numpy."))] == []
    if buildinfo.compiled():
        assert not any(name.startswith("polytape.dispatch.fast_path.") for name in names)


def test_alternating_dtypes_use_their_own_kernels() -> None:
    xs = [pt.asarray([1, 2], dtype=dtype) for dtype in ("float32", "int32", "float64", "int8", "float32", "complex64")]
    for _ in range(3):
        for x in xs:
            assert (x + x).dtype == x.dtype and (x + x).tolist() == [2, 4]
            assert (-x).dtype == x.dtype and pt.square(x).dtype == x.dtype
            assert (x == x).dtype == "bool"


def test_a_new_kernel_is_used_even_if_the_op_has_run_before() -> None:
    x = pt.asarray([1.0, 2.0])
    assert (x + x).tolist() == [2.0, 4.0]

    @pt.kernel("add", backend="numpy", dtypes=["float32"], priority=5)
    def forty_two(a: Any, b: Any) -> Any:
        return a * 0 + 42

    with forty_two:
        assert (x + x).tolist() == [42.0, 42.0] and pt.add(x, 1.0).tolist() == [42.0, 42.0]
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = x + x
        assert y.tolist() == [42.0, 42.0]
    assert (x + x).tolist() == [2.0, 4.0] and tape.gradient(y, x).tolist() == [2.0, 2.0]


BOOLS = np.array([True, False, True])
FLOATS, INTS = np.array([0.5, -2.0, 3.0], "float32"), np.array([1, -2, 300])
CALLS: list[Any] = [
    lambda: pt.where(pt.asarray(BOOLS), pt.asarray(FLOATS), pt.asarray(FLOATS)),
    lambda: pt.where(pt.asarray(BOOLS), pt.asarray(INTS), 0),
    lambda: pt.where(pt.asarray(BOOLS), pt.asarray(INTS), 0.5),
    lambda: pt.where(pt.asarray(BOOLS), 1, 2),
    lambda: pt.where(pt.asarray(BOOLS), 1.0, 2),
    lambda: pt.where(pt.asarray(BOOLS), pt.asarray(FLOATS), 1e39),
    lambda: pt.where(BOOLS, FLOATS, [1, 2, 3]),
    lambda: pt.where(pt.asarray(BOOLS), pt.asarray([1, -2, 3], dtype="int8"), 300),
    lambda: pt.where(pt.asarray(BOOLS), pt.asarray(FLOATS), pt.asarray(FLOATS), axis=0),
    lambda: pt.where(pt.asarray(BOOLS), pt.asarray(FLOATS), pt.asarray(FLOATS), x1=0),
    lambda: pt.where(pt.asarray(BOOLS), pt.asarray(FLOATS), pt.asarray(FLOATS[:2])),
    lambda: pt.clip(pt.asarray(FLOATS), -1.0, 1.0),
    lambda: pt.clip(pt.asarray(FLOATS), None, 1),
    lambda: pt.clip(pt.asarray(INTS), 0, 2.5),
    lambda: pt.concat([pt.asarray(FLOATS), pt.asarray(FLOATS)]),
    lambda: pt.concat([pt.asarray(FLOATS), pt.asarray(INTS)]),
    lambda: pt.concat([pt.asarray(FLOATS)] * 3, axis=-1),
    lambda: pt.take(pt.asarray(FLOATS), pt.asarray([0, 2]), axis=0),
    lambda: pt.take(pt.asarray(FLOATS), [0, 5], axis=0),
    lambda: pt.nn.layer_norm(pt.asarray(FLOATS)),
    lambda: pt.nn.layer_norm(pt.asarray(FLOATS), pt.asarray(FLOATS), pt.asarray(FLOATS)),
    lambda: pt.top_k(pt.asarray(FLOATS), 2)[0],
    lambda: pt.top_k(pt.asarray(INTS), 2)[1],
    lambda: pt.top_k(pt.asarray(FLOATS), 4)[0],
    lambda: recorded(lambda x: pt.top_k(x, 2)[0]),
    lambda: recorded(lambda x: pt.concat([x, FLOATS, x])),
    lambda: recorded(lambda x: pt.concat([pt.asarray(FLOATS), x])),
    lambda: recorded(lambda x: pt.where(BOOLS, x, 0)),
    lambda: recorded(lambda x: pt.where(pt.asarray(BOOLS), x, x * x)),
    lambda: recorded(lambda x: pt.clip(x, -1.0, x * x)),
    lambda: recorded(lambda x: pt.clip(x, None, 1)),
    lambda: recorded(lambda x: pt.take(x, pt.asarray([0, 0]), axis=0)),
    lambda: recorded(lambda x: pt.take(x, pt.asarray([0, 5]), axis=0)),
    lambda: recorded(lambda x: pt.nn.layer_norm(x, x, x)),
    lambda: pt.function(lambda x: pt.concat([x, x]))(pt.asarray(FLOATS)),
    lambda: pt.function(lambda x: pt.top_k(x, 2)[0])(pt.asarray(FLOATS)),
]


def recorded(call: Any) -> Any:
    """The gradient of a call's result by its operand."""
    x = pt.asarray(FLOATS)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = call(x)
    return tape.gradient(y, x)


def outcome(call: Any) -> Any:
    try:
        y = call()
    except Exception as error:
        return type(error), str(error)
    return y.dtype.name, y.shape, y.numpy().tobytes()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(CALLS) - 1), max_size=12))
def test_a_call_does_not_depend_on_the_calls_before_it(numbers: list[int]) -> None:
    # An op with several operands and attributes repeats its latest resolution where that fits.
    with np.errstate(all="ignore"):
        for number in numbers:
            assert outcome(CALLS[number]) == first_outcomes()[number]


def test_an_op_runs_on_the_default_device_of_each_call() -> None:
    with pt.register_backend(pt.Backend(name="second", extends="numpy")):
        for name in ("numpy", "second", "numpy", "second"):
            with pt.device(name):
                drawn = [pt.random.permutation(3), pt.random.normal((2,)), pt.random.poisson(2.0, (2,))]
                made = [pt.ones(2), pt.arange(3), pt.where([True], 1, 2), pt.concat([[1], [2]])]
            assert {x.device.backend for x in (*drawn, *made)} == {name}


@functools.cache
def first_outcomes() -> list[Any]:
    """What each call gives when no resolution is known."""
    outcomes = []
    for call in CALLS:
        for op in tables.ops().values():
            op.forget()
        outcomes.append(outcome(call))
    return outcomes


def test_a_zero_dimensional_result_is_an_array_too() -> None:
    x = pt.asarray(2.0)
    for result in (x + x, x * 3.0, -x, pt.sum(pt.asarray([1.0])), x == x):
        assert type(result.array) is np.ndarray and result.shape == ()


# --- Python numbers as operands ---------------------------------------------------------------------------------------


def test_numbers_are_weak() -> None:
    for dtype in ("int8", "int32", "int64", "float16", "float32", "float64", "complex64"):
        x = pt.asarray([1, 2], dtype=dtype)
        assert (x + 1).dtype == dtype and (True + x).dtype == dtype
        floating = dtype if "int" not in dtype else "float32"
        assert (x * 1.5).dtype == floating and (x * np.float64(1.5)).dtype == floating
    assert (pt.asarray([1.0]) * 2j).dtype == "complex64"
    assert (pt.asarray([1.0], dtype="float64") * np.complex128(2j)).dtype == "complex128"
    assert (pt.asarray([True]) == 1).dtype == "bool"


def test_one_as_int_float_and_bool_is_distinguished() -> None:
    x, n = pt.asarray([3.0]), pt.asarray([3])
    for _ in range(2):
        assert [(x + number).item() for number in (1, 1.0, True)] == [4.0, 4.0, 4.0]
        assert [str((n + number).dtype) for number in (1, 1.0, True)] == ["int32", "float32", "int32"]


def test_zeros_keep_their_sign_and_nan_stays_nan() -> None:
    x = pt.asarray([1.0])
    for _ in range(2):
        assert math.copysign(1.0, (x * 0.0).item()) == 1.0
        assert math.copysign(1.0, (x * -0.0).item()) == -1.0
        assert math.copysign(1.0, (x * 0).item()) == 1.0
        assert math.isnan((x * math.nan).item())
        assert (x * math.inf).item() == math.inf and (x * -math.inf).item() == -math.inf


def test_many_different_numbers_do_not_grow_the_cache_without_bound() -> None:
    x = pt.asarray([1.0])
    for step in range(3 * SCALARS):
        assert (x * (step + 0.5)).item() == step + 0.5
        assert (x + step).item() == 1.0 + step
    assert len(x.type.floats) <= SCALARS and len(x.type.ints) <= SCALARS
    assert (x * 1.0).item() == 1.0 and (x * 0.5).item() == 0.5


def test_writing_to_a_tensor_does_not_change_a_cached_number() -> None:
    x = pt.asarray(0.0)
    y = x + 5.0
    z = y * 1.0
    z[...] = 7.0
    assert (y.item(), (x + 5.0).item(), z.item()) == (5.0, 5.0, 7.0)


@pytest.mark.parametrize(
    ("x", "number", "text"),
    [
        (pt.int8, 300, "300 does not fit int8"),
        (pt.uint8, -1, "-1 does not fit uint8"),
        (pt.int32, 2**40, f"{2**40} does not fit int32"),
        (pt.float32, 10**400, "an integer of 1329 bits does not fit float32"),
    ],
    ids=str,
)
def test_a_number_out_of_range_is_an_error(x: Any, number: int, text: str) -> None:
    tensor = pt.zeros((2,), dtype=x)
    for call in (lambda: tensor + number, lambda: number * tensor, lambda: pt.add(tensor, number)):
        with pytest.raises(DTypeError, match=text):
            call()


# --- foreign operands -------------------------------------------------------------------------------------------------


class Foreign:
    """Has some operators, and is not a type that ops accept."""

    def __radd__(self, other: object) -> str:
        return "radd"

    def __rmatmul__(self, other: object) -> str:
        return "rmatmul"

    def __gt__(self, other: object) -> str:
        return "gt"


def test_an_operator_defers_to_that_of_a_foreign_operand() -> None:
    x = pt.asarray([1.0])
    for _ in range(2):
        assert x + Foreign() == "radd" and x @ Foreign() == "rmatmul" and (x < Foreign()) == "gt"
        with pytest.raises(TypeError, match="unsupported operand"):
            x - Foreign()
    assert (x == None) is False and (x != "a") is True  # noqa: E711  # == is what is tested


@pytest.mark.parametrize("operand", [Foreign(), None, "a", {}], ids=["foreign", "none", "string", "dict"])
def test_a_function_rejects_a_foreign_operand(operand: Any) -> None:
    x = pt.asarray([1.0])
    for call in (
        lambda: pt.add(x, operand),
        lambda: pt.add(operand, x),
        lambda: pt.exp(operand),
        lambda: pt.sum(operand),
    ):
        with pytest.raises(DTypeError, match=r"convert it with polytape\.asarray first"):
            call()


def test_lists_and_arrays_are_operands() -> None:
    x, pair = pt.asarray([1.0, 2.0]), [1, 2]
    assert (x + pair).tolist() == [2.0, 4.0] and (pair + x).tolist() == [2.0, 4.0]
    assert ((1, 2) * x).tolist() == [1.0, 4.0] and (x == [1.0, 3.0]).tolist() == [True, False]
    assert (np.ones(2) + x).dtype == "float64" and type(np.ones(2) - x) is pt.Tensor
    assert pt.exp([0.0]).tolist() == [1.0] and pt.add(1, 2).dtype == "int32"
    assert pt.maximum([1, 5], [3, 4]).tolist() == [3, 5]


@pytest.mark.parametrize(
    "bad",
    [[[1.0], [1.0, 2.0]], [object()], ["a"], np.array([object()]), np.array(["a"])],
    ids=["ragged", "object", "text", "array of objects", "array of text"],
)
def test_ragged_lists_and_objects_are_rejected(bad: Any) -> None:
    x = pt.asarray([1.0, 2.0])
    for call in (lambda: x + bad, lambda: pt.multiply(x, bad), lambda: pt.exp(bad)):
        with pytest.raises(DTypeError):
            call()


def test_numpy_functions_return_arrays_and_numpy_operators_tensors() -> None:
    x, array = pt.asarray([1.0, 2.0]), np.ones(2, "float32")
    assert type(np.add(x, x)) is np.ndarray and type(np.multiply(array, x)) is np.ndarray
    for result in (array + x, x + array, np.float32(2) * x, x * np.float32(2), array @ x, array < x, array == x):
        assert type(result) is pt.Tensor
    total = array
    total += x
    assert type(total) is pt.Tensor and total.tolist() == [2.0, 3.0] and array.tolist() == [1.0, 1.0]
    assert (np.float32(2) * x).dtype == "float32" and (np.float64(2) * x).dtype == "float32"
    assert (np.int64(2) * pt.asarray([1])).dtype == "int64"


# --- signatures -------------------------------------------------------------------------------------------------------


def test_wrong_arguments_raise_a_plain_type_error() -> None:
    x = pt.asarray([[1.0]])
    for call, text in (
        (lambda: pt.sum(x, axes=0), "unexpected keyword argument 'axes'"),
        (lambda: pt.sum(x, 0, None), "takes 2 positional arguments but 3 were given"),
        (lambda: pt.reshape(x), "missing required argument 'shape'"),
        (lambda: pt.reshape(x, (1,), shape=(1,)), "multiple values for argument 'shape'"),
        (lambda: pt.where(x > 0), "missing required argument 'x1'"),
        (lambda: pt.concat([x], [x]), "an axis is not an int"),
        (lambda: pt.permute_dims(x, "ab"), "an axis is not an int"),
        (lambda: pt.reshape(x, 1, 1), "takes 2 positional arguments but 3 were given"),
    ):
        with pytest.raises(TypeError, match=text):
            call()


def test_attributes_are_positional_where_the_standard_says_so() -> None:
    x = pt.asarray([[1.0, 2.0]])
    assert pt.reshape(x, (2, 1)).shape == pt.reshape(x, shape=(2, 1)).shape == (2, 1)
    assert pt.astype(x, "int32").dtype == "int32"


def test_every_signature_shows_which_operands_can_be_given_by_name() -> None:
    import inspect

    for op in tables.ops().values():
        for parameter in inspect.signature(op).parameters.values():
            by_name = parameter.kind is not parameter.POSITIONAL_ONLY
            assert not (by_name and parameter.name in op.operands and type(op).__name__ in ("UnaryOp", "BinaryOp")), (
                f"{op!r}: {parameter.name} can be given by name according to the signature, but not in a call"
            )


# --- errors from kernels ----------------------------------------------------------------------------------------------


def test_a_bad_shape_raises_the_shape_error_of_the_op() -> None:
    x, y = pt.asarray([1.0, 2.0]), pt.asarray([1.0, 2.0, 3.0])
    for _ in range(2):
        with pytest.raises(ShapeError, match=r"add\(\[2\], \[3\]\): the shapes do not broadcast.") as caught:
            x + y
        assert caught.value.got == "2 and 3 in axis -1" and isinstance(caught.value, ValueError)
        with pytest.raises(ShapeError, match=r"matmul\(\[2\], \[3\]\)"):
            x @ y
        with pytest.raises(ShapeError, match=r"sum\(\[2\], axis=3"):
            pt.sum(x, axis=3)


def test_an_error_that_is_not_about_shapes_passes_through() -> None:
    @pt.kernel("tanh", backend="numpy", priority=9)
    def broken(x: Any) -> Any:
        raise KeyError("a bug in the kernel")

    x = pt.asarray([1.0])
    with broken:
        with pytest.raises(KeyError, match="a bug in the kernel"):
            pt.tanh(x)
        with pytest.raises(KeyError, match="a bug in the kernel"), pt.GradientTape() as tape:
            tape.watch(x)
            pt.tanh(x)
    assert pt.tanh(pt.asarray(0.0)).item() == 0.0


@pytest.mark.parametrize("name", ["add", "sum", "exp", "getitem"])
def test_an_op_prints_pickles_and_shows_its_signature(name: str) -> None:
    import copy
    import inspect
    import pickle

    op = tables.ops()[name]
    assert repr(op) == f"<op {name}>" and callable(op) and op.__doc__
    assert copy.deepcopy(op) is op and pickle.loads(pickle.dumps(op)) is op
    assert list(inspect.signature(op).parameters) == list(op.parameters)

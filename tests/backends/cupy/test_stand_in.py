"""The stand-in is as strict as cupy itself, and bears its names and signatures where cupy is installed to compare."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType
from typing import Any

import numpy as np
import pytest


def test_nothing_becomes_a_numpy_array_by_itself(xp: Any) -> None:
    x = xp.asarray([1.0, 2.0])
    for convert in (np.asarray, np.array, lambda x: np.float32(1.0) + np.asarray(x), np.concatenate):
        with pytest.raises(TypeError, match="Implicit conversion to a NumPy array is not allowed"):
            convert(x)
    assert x.get().tolist() == xp.asnumpy(x).tolist() == [1.0, 2.0]


def test_numpy_arrays_are_no_operands(xp: Any) -> None:
    x, y = xp.asarray([1.0, 2.0]), np.asarray([1.0, 2.0])
    calls = [
        lambda: xp.add(x, y), lambda: x + y, lambda: y + x, lambda: xp.where(y, x, x), lambda: xp.concatenate((x, y)),
        lambda: xp.matmul(x, y), lambda: x.dot(y), lambda: x[np.asarray([0])], lambda: xp.add(x, x, out=y),
        lambda: xp.add.at(x, xp.asarray([0]), y),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises(TypeError):
            call()
    with pytest.raises(ValueError, match="non-scalar"):
        x[...] = y


def test_reductions_and_items_are_arrays_of_rank_0(xp: Any) -> None:
    x = xp.asarray([1.0, 2.0])
    for y in (x.sum(), x.max(), x[0], xp.add.reduce(x), xp.add(x[0], 1.0), x.dot(x)):
        assert type(y) is xp.ndarray and y.shape == ()
    assert float(x[1]) == 2.0
    with pytest.raises(TypeError):
        range(xp.asarray(3))


def test_arrays_of_another_device_are_refused(xp: Any) -> None:
    with xp.cuda.Device(1):
        x = xp.zeros(2)
    assert x.device.id == 1 and xp.zeros(2).device.id == 0
    for call in (lambda: x + 1.0, lambda: x.sum(), lambda: x.fill(1.0), lambda: xp.add(xp.zeros(2), x)):
        with pytest.raises(ValueError, match="different from the current device"):
            call()
    assert x.copy().device.id == 0


def test_index_arrays_out_of_range_wrap(xp: Any) -> None:
    x, far = xp.arange(4), xp.asarray([5, -1, 3])
    assert x[far].tolist() == x.take(far, 0).tolist() == [1, 3, 3]
    x[far] = 9
    assert x.tolist() == [0, 9, 2, 9]
    with pytest.raises(IndexError):
        x[4]


def test_other_names_do_not_exist(xp: Any) -> None:
    for name in ("einsum", "linalg", "random", "fft", "sort", "newaxis"):
        assert not hasattr(xp, name)


def test_an_elementwise_kernel_refuses_what_it_cannot_read(xp: Any) -> None:
    x = xp.asarray([1.0, 4.0])
    kernel = xp.ElementwiseKernel("T a, T b", "T c", "const T d = sqrt(a); c = d * b", "scaled_root")
    assert kernel(x, 3.0).tolist() == [3.0, 6.0]
    with pytest.raises(SyntaxError, match="cannot read"):
        xp.ElementwiseKernel("T a", "T c", "if (a > 0) c = a", "branch")(x)
    with pytest.raises(TypeError, match="Type is mismatched"):
        kernel(x, xp.asarray([1, 2]))
    with pytest.raises(ValueError, match="Out shape is mismatched"):
        kernel(x, 1.0, xp.zeros((1,)))


def _signature(fn: Any) -> list[str]:
    """The names of a function's parameters; of a compiled one as its docstring lists them."""
    try:
        names = list(inspect.signature(fn).parameters)
    except (TypeError, ValueError):
        line = (fn.__doc__ or "(").strip().splitlines()[0]
        inside = line[line.index("(") + 1 : line.rindex(")")] if ")" in line else ""
        names = [part.split("=")[0].split()[-1].lstrip("*") for part in inside.split(",") if part.strip()]
    return [name for name in names if name != "self"]


def test_its_names_and_signatures_are_cupy_s(standin: ModuleType) -> None:
    if not standin.real():
        pytest.skip("cupy itself is not installed to compare with; last compared with 14.2")
    real, own = importlib.import_module("cupy"), standin.face()
    for name in own.__all__:
        assert hasattr(real, name), name
        if inspect.isfunction(getattr(own, name)) and name != "matmul":  # cupy's takes *args
            assert _signature(getattr(own, name)) == _signature(getattr(real, name)), name
    for name, value in vars(own.ndarray).items():
        if name[0] != "_":
            assert hasattr(real.ndarray, name), name
            if inspect.isfunction(value):
                assert _signature(value) == _signature(getattr(real.ndarray, name)), name
    for name in vars(own.cuda):
        assert hasattr(real.cuda, name), name
    for part in ("runtime", "memory"):
        for name in vars(getattr(own.cuda, part)):
            assert hasattr(getattr(real.cuda, part), name), name
    assert set(_signature(own.ElementwiseKernel)) <= set(_signature(real.ElementwiseKernel))

"""The stand-in is as strict as cupy itself, and has the names and signatures of an installed cupy."""

from __future__ import annotations

import importlib
import inspect
from types import ModuleType
from typing import Any

import numpy as np
import pytest


def test_arrays_are_not_implicitly_converted_to_numpy(xp: Any) -> None:
    x = xp.asarray([1.0, 2.0])
    for convert in (np.asarray, np.array, lambda x: np.float32(1.0) + np.asarray(x), np.concatenate):
        with pytest.raises(TypeError, match="Implicit conversion to a NumPy array is not allowed"):
            convert(x)
    assert x.get().tolist() == xp.asnumpy(x).tolist() == [1.0, 2.0]


def test_numpy_arrays_are_rejected_as_operands(xp: Any) -> None:
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


def test_reductions_and_elements_are_arrays_of_rank_0(xp: Any) -> None:
    x = xp.asarray([1.0, 2.0])
    for y in (x.sum(), x.max(), x[0], xp.add.reduce(x), xp.add(x[0], 1.0), x.dot(x)):
        assert type(y) is xp.ndarray and y.shape == ()
    assert float(x[1]) == 2.0
    with pytest.raises(TypeError):
        range(xp.asarray(3))


def test_arrays_on_another_device_are_rejected(xp: Any) -> None:
    with xp.cuda.Device(1):
        x = xp.zeros(2)
    assert x.device.id == 1 and xp.zeros(2).device.id == 0
    for call in (lambda: x + 1.0, lambda: x.sum(), lambda: x.fill(1.0), lambda: xp.add(xp.zeros(2), x)):
        with pytest.raises(ValueError, match="different from the current device"):
            call()
    assert x.copy().device.id == 0


def test_index_arrays_out_of_range_wrap_around(xp: Any) -> None:
    x, indices = xp.arange(4), xp.asarray([5, -1, 3])
    assert x[indices].tolist() == x.take(indices, 0).tolist() == [1, 3, 3]
    x[indices] = 9
    assert x.tolist() == [0, 9, 2, 9]
    with pytest.raises(IndexError):
        x[4]


def test_names_that_kernels_do_not_use_do_not_exist(xp: Any) -> None:
    for name in ("einsum", "linalg", "random", "fft", "newaxis"):
        assert not hasattr(xp, name)


def test_an_elementwise_kernel_rejects_source_that_it_cannot_interpret(xp: Any) -> None:
    x = xp.asarray([1.0, 4.0])
    kernel = xp.ElementwiseKernel("T a, T b", "T c", "const T d = sqrt(a); c = d * b", "scaled_root")
    assert kernel(x, 3.0).tolist() == [3.0, 6.0]
    with pytest.raises(SyntaxError, match="cannot interpret"):
        xp.ElementwiseKernel("T a", "T c", "if (a > 0) c = a", "branch")(x)
    with pytest.raises(TypeError, match="Type is mismatched"):
        kernel(x, xp.asarray([1, 2]))
    with pytest.raises(ValueError, match="Out shape is mismatched"):
        kernel(x, 1.0, xp.zeros((1,)))


def _signature(fn: Any) -> list[str]:
    """The names of a function's parameters; for a compiled function, from its docstring."""
    try:
        names = list(inspect.signature(fn).parameters)
    except (TypeError, ValueError):
        line = (fn.__doc__ or "(").strip().splitlines()[0]
        inside = line[line.index("(") + 1 : line.rindex(")")] if ")" in line else ""
        names = [part.split("=")[0].split()[-1].lstrip("*") for part in inside.split(",") if part.strip()]
    return [name for name in names if name not in ("", "self")]


def test_names_and_signatures_are_those_of_cupy(standin: ModuleType) -> None:
    if not standin.cupy_is_installed():
        pytest.skip("cupy itself, to compare with, is not installed; last compared with 14.2")
    cupy, imitation = importlib.import_module("cupy"), standin.load_separately()
    for name in imitation.__all__:
        assert hasattr(cupy, name), name
        if inspect.isfunction(getattr(imitation, name)) and name != "matmul":  # cupy's matmul takes *args
            assert _signature(getattr(imitation, name)) == _signature(getattr(cupy, name)), name
    for name, value in vars(imitation.ndarray).items():
        if name[0] != "_":
            assert hasattr(cupy.ndarray, name), name
            if inspect.isfunction(value):
                assert _signature(value) == _signature(getattr(cupy.ndarray, name)), name
    for name in vars(imitation.cuda):
        assert hasattr(cupy.cuda, name), name
    for namespace in ("runtime", "memory"):
        for name in vars(getattr(imitation.cuda, namespace)):
            assert hasattr(getattr(cupy.cuda, namespace), name), name
    for kind in ("Event", "Stream"):
        for name, value in vars(getattr(imitation.cuda, kind)).items():
            if name[0] != "_" and name != "finish":  # what tests use
                assert hasattr(getattr(cupy.cuda, kind), name), f"{kind}.{name}"
                if inspect.isfunction(value):
                    assert _signature(value) == _signature(getattr(getattr(cupy.cuda, kind), name)), f"{kind}.{name}"
    assert set(_signature(imitation.ElementwiseKernel)) <= set(_signature(cupy.ElementwiseKernel))

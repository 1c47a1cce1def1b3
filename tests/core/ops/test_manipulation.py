"""Ops that rearrange, join, copy or cast elements: gradients of casts, copies and views."""

from __future__ import annotations

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, PolytapeError, ShapeError


def test_the_gradient_of_a_cast_has_the_dtype_of_the_operand(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([1.0, 2.0])
        (g,) = pt.gradients_function(lambda x: pt.astype(x, "float64") ** 2)(x)
        assert g.dtype == pt.float32
        assert g.tolist() == [2.0, 4.0]
        pt.check_gradients(lambda x: pt.astype(x, "float64") * x, np.asarray([1.5, -2.0]), order=2)


def test_a_cast_to_an_integer_stops_the_gradient() -> None:
    x = pt.asarray([1.5])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.astype(pt.astype(x, "int32"), "float32")
    assert tape.gradient(y, x) is None


def test_stop_gradient_blocks_the_gradient_and_identity_passes_it(backend: str) -> None:
    with pt.device(backend):
        f = pt.gradients_function(lambda x: x * pt.stop_gradient(x) + pt.identity(x))
        assert f(pt.asarray([3.0]))[0].tolist() == [4.0]


def test_tensors_that_share_a_buffer_are_independent(backend: str) -> None:
    with pt.device(backend):
        x = pt.asarray([[1.0, 2.0], [3.0, 4.0]])
        y = pt.reshape(x, (4,))
        y[0] = 9.0
    assert x.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert y.tolist() == [9.0, 2.0, 3.0, 4.0]


def test_numpy_views_are_read_only(backend: str) -> None:
    with pt.device(backend):
        host = pt.ones(2).numpy()
    with pytest.raises(ValueError, match="read-only"):
        host[0] = 2.0


def test_asarray_copies_an_array_that_the_caller_may_write(backend: str) -> None:
    host = np.ones(2)
    x = pt.asarray(host, device=backend)
    host[0] = 5.0
    assert x.tolist() == [1.0, 1.0]


def test_concat_promotes_and_accepts_host_arrays(backend: str) -> None:
    with pt.device(backend):
        y = pt.concat([pt.ones(1, dtype="int32"), pt.ones(1, dtype="float16"), np.zeros(1, "float32")])
    assert y.dtype == pt.float32
    assert y.tolist() == [1.0, 1.0, 0.0]


def test_concat_of_an_empty_list_is_rejected() -> None:
    with pytest.raises(ShapeError, match=r"concat\(\[\]\): nothing to join(.|\n)*at least one tensor"):
        pt.concat([])


def test_the_error_for_an_unknown_dtype_lists_the_valid_ones() -> None:
    with pytest.raises(DTypeError, match=r"'float31' is not a tensor dtype(.|\n)*float16, float32"):
        pt.astype(pt.ones(2), "float31")


def test_to_takes_a_device_a_dtype_both_or_another_tensor(backend: str) -> None:
    x = pt.asarray([1.0, 2.5])
    assert x.to("int64").tolist() == [1, 2] and x.to(pt.float64).dtype is pt.float64
    there = x.to(backend, "float64")
    assert there.device.backend == backend and there.dtype is pt.float64 and there.tolist() == [1.0, 2.5]
    assert x.to(there).device is there.device and x.to(there).dtype is pt.float64
    assert x.to(dtype="float16", device=there.device, non_blocking=True).dtype is pt.float16
    assert pt.to([1, 2], "float32").tolist() == [1.0, 2.0] and x.to().tolist() == x.tolist()


def test_gradients_flow_through_to() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = pt.sum(x.to("float64") ** 2)
    gradient = tape.gradient(y, x)
    assert gradient.tolist() == [2.0, 4.0] and gradient.dtype is pt.float32


@pytest.mark.parametrize("target", ["nowhere", 3.5])
def test_to_says_what_a_target_may_be(target: object) -> None:
    with pytest.raises(PolytapeError):
        pt.ones(2).to(target)

"""`polytape.function(input_signature=...)`: which arguments it takes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, SettingError, ShapeError, TraceError


def test_numbers_lists_and_arrays_become_tensors_of_the_given_dtype() -> None:
    f = pt.function(lambda x, y: x * y, input_signature=[pt.TensorSpec((None,)), pt.TensorSpec((), "float32")])
    for value in (2, 2.0, np.float64(2.0), pt.asarray(2.0)):
        result = f([1, 2, 3], value)
        assert result.dtype == pt.float32 and result.tolist() == [2.0, 4.0, 6.0]
    assert len(f.concretes) == 1


def test_specs_may_be_nested_and_named() -> None:
    specs = {"batch": {"x": pt.TensorSpec((None, 2)), "y": [pt.TensorSpec((None,))]}}
    f = pt.function(lambda scale, batch: scale * pt.sum(batch["x"], axis=1) + batch["y"][0], input_signature=specs)
    for n in (2, 7):
        assert f(2.0, {"x": np.ones((n, 2), "f4"), "y": [np.ones(n, "f4")]}).tolist() == [5.0] * n
    with pytest.raises(DTypeError, match=r"structure \{'x': TensorSpec\(float32\[\?,2\]\)"):
        f(2.0, [pt.ones((2, 2))])


@pytest.mark.parametrize(
    ("value", "kind", "got"),
    [
        (pt.ones((2, 4)), ShapeError, r"float32\[2,4\]"),
        (pt.ones((2,)), ShapeError, r"float32\[2\]"),
        (pt.ones((2, 3), dtype="float64"), DTypeError, r"float64\[2,3\]"),
        ("text", DTypeError, "text"),
    ],
)
def test_an_argument_of_another_type_is_rejected(value: Any, kind: type[Exception], got: str) -> None:
    f = pt.function(lambda x: x, input_signature=[pt.TensorSpec((None, 3), "float32")])
    with pytest.raises(kind, match=r"expected: float32\[\?,3\], by the input_signature") as caught:
        f(value)
    caught.match(got)


@pytest.mark.parametrize(
    "specs",
    [[pt.TensorSpec((3,))] * 3, {"z": pt.TensorSpec((3,))}, [(None, 3)], [3.0], "float32", pt.TensorSpec((3,))],
)
def test_specs_that_cannot_be_used_are_rejected_at_once(specs: Any) -> None:
    with pytest.raises(SettingError, match="input_signature of <lambda> cannot be used"):
        pt.function(lambda x, y: x, input_signature=specs)


def test_more_open_sizes_than_can_be_traced_are_rejected() -> None:
    f = pt.function(lambda x: x, input_signature=[pt.TensorSpec((None,) * 4)])
    assert f(pt.ones((2, 3, 4, 2))).shape == (2, 3, 4, 2)  # two are equal
    with pytest.raises(TraceError, match="4 open sizes"):
        f(pt.ones((2, 3, 4, 5)))


def test_methods_and_copies_keep_the_signature() -> None:
    class Scaled:
        def __init__(self) -> None:
            self.runs = 0

        @pt.function(input_signature=[pt.TensorSpec((None,))])
        def double(self, x: Any) -> Any:
            self.runs += 1
            return x * 2.0

    scaled = Scaled()
    for n in (2, 3, 4):
        assert scaled.double(np.ones(n, "f4")).tolist() == [2.0] * n
    assert scaled.runs == 4
    f = copy.deepcopy(pt.function(lambda x: x, input_signature=[pt.TensorSpec((3,))]))
    with pytest.raises(ShapeError):
        f(pt.ones((4,)))


def test_it_holds_inside_another_function_and_in_a_file(tmp_path: Path) -> None:
    f = pt.function(lambda x: x.dtype == pt.float32 and x * 2.0, input_signature=[pt.TensorSpec((None,))])
    assert pt.function(lambda y: f([1, 2]) + y)(pt.ones(2)).tolist() == [3.0, 5.0]
    with pytest.raises(ShapeError, match="by the input_signature"):
        pt.function(lambda y: f(y))(pt.ones((2, 2)))
    f.export(tmp_path / "f.safetensors", [1, 2, 3])
    assert pt.load_graph(tmp_path / "f.safetensors")(pt.ones(3)).tolist() == [2.0] * 3


def test_other_arguments_are_part_of_the_trace_as_before() -> None:
    f = pt.function(lambda x, factor=1.0: x * factor, input_signature=[pt.TensorSpec((None,))])
    for n, factor in ((2, 1.0), (3, 1.0), (2, 5.0), (4, 5.0)):
        assert f(np.ones(n, "f4"), factor=factor).tolist() == [factor] * n
    assert len(f.templates.known) == 2


def test_a_registered_kernel_is_used_from_then_on() -> None:
    f = pt.function(lambda x: pt.tanh(x), input_signature=[pt.TensorSpec((None,))])
    f(pt.ones((3,)))
    backend = pt.Backend(name="loud", extends="numpy", kernels=[pt.Kernel("tanh", lambda x: x * 7.0)])
    with pt.register_backend(backend), pt.device("loud"):
        assert f(pt.ones((4,))).tolist() == [7.0] * 4

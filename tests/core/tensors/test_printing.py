"""How tensors print, in polytape's form and in TensorFlow 1.7's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import polytape as pt
from polytape.settings import change_settings


@pytest.fixture
def tf1() -> Iterator[None]:
    """TensorFlow's style, for one test."""
    old = change_settings(print_style="tf1")
    yield
    change_settings(print_style=old.print_style)


def test_a_tensor_shows_dtype_shape_backend_and_values() -> None:
    assert repr(pt.asarray(3.0)) == "Tensor(float32[], backend='numpy', 3.0)"
    assert repr(pt.asarray([1, 2])) == "Tensor(int32[2], backend='numpy', [1 2])"
    text = repr(pt.asarray([[1.0, 2.0], [3.0, 4.0]]))
    assert text == "Tensor(float32[2,2], backend='numpy',\n  [[1. 2.]\n   [3. 4.]])"
    assert repr(pt.zeros((0, 3))) == "Tensor(float32[0,3], backend='numpy', [])"


def test_str_of_a_tensor_is_its_values() -> None:
    assert str(pt.asarray([True, False])) == "[ True False]" and str(pt.asarray(2)) == "2"


def test_large_tensors_are_summarised() -> None:
    text = repr(pt.asarray(np.arange(10_000)))
    assert "..." in text and len(text) < 200


def test_variables_show_their_name() -> None:
    assert repr(pt.Variable(1.5)) == "Variable(float32[], backend='numpy', 1.5)"
    assert repr(pt.Variable([2], name="steps")) == "Variable('steps', int32[1], backend='numpy', [2])"


def test_a_watched_tensor_prints_like_any_other() -> None:
    x = pt.asarray([1.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        assert repr(x * 2.0) == "Tensor(float32[1], backend='numpy', [2.])"


def test_the_tensorflow_style(tf1: None) -> None:
    x = pt.asarray([[1, 2], [3, 4]])
    assert str(x) == "tf.Tensor(\n[[1 2]\n [3 4]], shape=(2, 2), dtype=int32)"
    assert str(pt.asarray(2.5)) == "tf.Tensor(2.5, shape=(), dtype=float32)"
    assert str(pt.asarray([1.0])) == "tf.Tensor([1.], shape=(1,), dtype=float32)"
    assert "numpy=\narray([[1, 2],\n       [3, 4]], dtype=int32)>" in repr(x)
    assert repr(pt.Variable(1.5, name="w")).startswith("<tf.Variable 'w:0' shape=() dtype=float32, numpy=")


def test_the_style_is_a_setting_not_a_different_class(tf1: None) -> None:
    assert type(pt.asarray(1.0)) is pt.Tensor


def test_an_unknown_style_is_rejected() -> None:
    with pytest.raises(pt.PolytapeError, match="print_style='torch' is not a valid policy"):
        change_settings(print_style="torch")

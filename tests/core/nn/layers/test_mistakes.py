"""Mistakes in the use of layers."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

import polytape as pt
from polytape.errors import DTypeError, SettingError, ShapeError

nn = pt.nn


@pytest.mark.parametrize(
    ("wrong", "error", "text"),
    [
        (lambda: nn.Dense(0), SettingError, "units=0(.|\n)*a positive integer"),
        (lambda: nn.Dense(2.5), SettingError, r"units=2\.5"),
        (lambda: nn.Dense(2, kernel_initializer="zeros"), DTypeError, "fix: weight_initializer=..."),
        (lambda: nn.Dense(2, name="d"), DTypeError, "modules take no name"),
        (lambda: nn.Conv2D(2, 3, strides=2), DTypeError, "fix: stride=..."),
        (lambda: nn.Dense(2, activation="rellu"), SettingError, "no activation 'rellu'"),
        (lambda: nn.Dense(2, activation=3), DTypeError, "3 is not an activation"),
        (lambda: nn.Dense(2, weight_initializer="he")(pt.ones((1, 2))), SettingError, "no initializer 'he'(.|\n)*he_n"),
        (lambda: nn.Dense(2)(1.0), ShapeError, r"weights of Dense(.|\n)*in: Dense\(2\)"),
        (lambda: nn.Conv2D(2, 3)(pt.ones((2, 6, 6))), ShapeError, "2-dimensional data(.|\n)*rank 4"),
        (lambda: nn.Conv2D(2, (3, 3, 3)), ShapeError, "size does not fit"),
        (lambda: nn.MaxPool2D()(pt.ones((2, 6, 6))), ShapeError, "MaxPool2D takes a batch of 2-dimensional data"),
        (lambda: nn.LSTM(2)(pt.ones((2, 6))), ShapeError, "a batch of sequences"),
        (lambda: nn.LSTM(2)(pt.ones((2, 0, 6))), ShapeError, "no time steps"),
        (lambda: nn.SimpleRNN(2, "gelu")(pt.ones((2, 1, 6))), SettingError, "not an activation of a recurrent cell"),
        (lambda: nn.Bidirectional(nn.Dense(2)), DTypeError, "needs a recurrent layer"),
        (lambda: nn.Bidirectional(nn.LSTM(2), merge="max"), SettingError, "cannot merge by 'max'"),
        (lambda: nn.MultiHeadAttention(3)(pt.ones((2, 5, 4))), ShapeError, "do not match the heads"),
        (lambda: nn.GroupNorm(3)(pt.ones((2, 4))), ShapeError, "group"),
        (lambda: nn.BatchNorm(1.5), SettingError, "momentum=1.5"),
        (lambda: nn.Dropout(1.5), SettingError, "a share of 1.5"),
        (lambda: nn.UpSampling2D(interpolation="area"), SettingError, "interpolation 'area'"),
        (lambda: nn.ZeroPadding2D("same"), SettingError, "cannot pad by 'same'"),
        (lambda: nn.Reshape((3,))(pt.ones((2, 4))), ShapeError, "reshape"),
        (lambda: nn.Flatten()(1.0), ShapeError, "no batch"),
        (lambda: nn.TimeDistributed(nn.Dense(2))(pt.ones((2,))), ShapeError, "no steps"),
        (lambda: nn.Embedding(3, 2)(pt.asarray([3])), ShapeError, "out of range"),
    ],
)
def test_a_mistake_is_an_error_that_says_what_to_do(wrong: Callable[[], Any], error: type, text: str) -> None:
    with pytest.raises(error) as caught:
        wrong()
    notes = "\n".join(getattr(caught.value, "__notes__", []))
    assert re.search(text, f"{caught.value}\n{notes}"), str(caught.value)


def test_a_recurrent_layer_with_weights_cannot_become_bidirectional() -> None:
    layer = nn.LSTM(2)
    layer(pt.ones((1, 2, 3)))
    with pytest.raises(SettingError, match="would copy weights"):
        nn.Bidirectional(layer)

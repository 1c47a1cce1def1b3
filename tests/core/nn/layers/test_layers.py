"""Every layer: shapes, weights, gradients, traces and copies, on all backends where that matters."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import polytape as pt

nn = pt.nn
IMAGES, SEQUENCES, VOLUMES, ROWS = (2, 6, 8, 4), (2, 5, 4), (2, 4, 6, 4, 2), (3, 4)


class Row(NamedTuple):
    """One layer: how it is made, the shape it is called with and returns, its number of weights and their elements."""

    make: Callable[[], Any]
    shape: tuple[int, ...]
    result: tuple[int, ...]
    weights: int
    elements: int

    def __str__(self) -> str:
        return repr(self.make()).replace("\n ", "")


ROWS_OF_LAYERS = [
    Row(lambda: nn.Dense(5), ROWS, (3, 5), 2, 25),
    Row(lambda: nn.Dense(5, "tanh", use_bias=False), SEQUENCES, (2, 5, 5), 1, 20),
    Row(lambda: nn.Activation("relu"), ROWS, ROWS, 0, 0),
    Row(lambda: nn.Conv1D(3, 2), SEQUENCES, (2, 4, 3), 2, 27),
    Row(lambda: nn.Conv2D(6, (3, 2), 2, "same", activation=nn.relu), IMAGES, (2, 3, 4, 6), 2, 150),
    Row(lambda: nn.Conv2D(6, 3, groups=2), IMAGES, (2, 4, 6, 6), 2, 114),
    Row(lambda: nn.Conv2D(3, 3, dilation=2, data_format="channels_first"), (2, 4, 6, 8), (2, 3, 2, 4), 2, 111),
    Row(lambda: nn.Conv3D(3, 2), VOLUMES, (2, 3, 5, 3, 3), 2, 51),
    Row(lambda: nn.Conv1DTranspose(3, 3, 2), SEQUENCES, (2, 11, 3), 2, 39),
    Row(lambda: nn.Conv2DTranspose(3, 3, 2, "same"), IMAGES, (2, 12, 16, 3), 2, 111),
    Row(lambda: nn.Conv3DTranspose(3, 2, 2), VOLUMES, (2, 8, 12, 8, 3), 2, 51),
    Row(lambda: nn.DepthwiseConv2D(3, multiplier=2), IMAGES, (2, 4, 6, 8), 2, 80),
    Row(lambda: nn.SeparableConv1D(5, 3), SEQUENCES, (2, 3, 5), 3, 37),
    Row(lambda: nn.SeparableConv2D(5, 3, padding="same", multiplier=2), IMAGES, (2, 6, 8, 5), 3, 117),
    Row(lambda: nn.MaxPool1D(2), SEQUENCES, (2, 2, 4), 0, 0),
    Row(lambda: nn.MaxPool2D((2, 4)), IMAGES, (2, 3, 2, 4), 0, 0),
    Row(lambda: nn.MaxPool3D(2, 1), VOLUMES, (2, 3, 5, 3, 2), 0, 0),
    Row(lambda: nn.AvgPool1D(3, 2, "same"), SEQUENCES, (2, 3, 4), 0, 0),
    Row(lambda: nn.AvgPool2D(2, data_format="channels_first"), IMAGES, (2, 6, 4, 2), 0, 0),
    Row(lambda: nn.AvgPool3D(2), VOLUMES, (2, 2, 3, 2, 2), 0, 0),
    Row(lambda: nn.GlobalMaxPool1D(), SEQUENCES, (2, 4), 0, 0),
    Row(lambda: nn.GlobalMaxPool2D(keepdims=True), IMAGES, (2, 1, 1, 4), 0, 0),
    Row(lambda: nn.GlobalMaxPool3D(), VOLUMES, (2, 2), 0, 0),
    Row(lambda: nn.GlobalAvgPool1D(), SEQUENCES, (2, 4), 0, 0),
    Row(lambda: nn.GlobalAvgPool2D(), IMAGES, (2, 4), 0, 0),
    Row(lambda: nn.GlobalAvgPool3D(), VOLUMES, (2, 2), 0, 0),
    Row(lambda: nn.Flatten(), IMAGES, (2, 192), 0, 0),
    Row(lambda: nn.Reshape((-1, 2)), SEQUENCES, (2, 10, 2), 0, 0),
    Row(lambda: nn.ZeroPadding1D((1, 2)), SEQUENCES, (2, 8, 4), 0, 0),
    Row(lambda: nn.ZeroPadding2D(1), IMAGES, (2, 8, 10, 4), 0, 0),
    Row(lambda: nn.ZeroPadding3D(((0, 1), 1, 0)), VOLUMES, (2, 5, 8, 4, 2), 0, 0),
    Row(lambda: nn.UpSampling1D(3), SEQUENCES, (2, 15, 4), 0, 0),
    Row(lambda: nn.UpSampling2D((2, 3), interpolation="bilinear"), IMAGES, (2, 12, 24, 4), 0, 0),
    Row(lambda: nn.UpSampling3D(2), VOLUMES, (2, 8, 12, 8, 2), 0, 0),
    Row(lambda: nn.Dropout(0.5), ROWS, ROWS, 0, 0),
    Row(lambda: nn.BatchNorm(), IMAGES, IMAGES, 4, 16),
    Row(lambda: nn.BatchNorm(axis=1, use_weight=False), IMAGES, IMAGES, 3, 18),
    Row(lambda: nn.LayerNorm(), SEQUENCES, SEQUENCES, 2, 8),
    Row(lambda: nn.LayerNorm((1, 3)), IMAGES, IMAGES, 2, 48),
    Row(lambda: nn.GroupNorm(2), IMAGES, IMAGES, 2, 8),
    Row(lambda: nn.RMSNorm(), SEQUENCES, SEQUENCES, 1, 4),
    Row(lambda: nn.SimpleRNN(3), SEQUENCES, (2, 3), 3, 24),
    Row(lambda: nn.GRU(3, return_sequences=True), SEQUENCES, (2, 5, 3), 4, 81),
    Row(lambda: nn.LSTM(3, use_bias=False), SEQUENCES, (2, 3), 2, 84),
    Row(lambda: nn.Bidirectional(nn.LSTM(3, return_sequences=True)), SEQUENCES, (2, 5, 6), 6, 192),
    Row(lambda: nn.Bidirectional(nn.GRU(3), merge="mean"), SEQUENCES, (2, 3), 8, 162),
    Row(lambda: nn.TimeDistributed(nn.Dense(2)), SEQUENCES, (2, 5, 2), 2, 10),
    Row(lambda: nn.Masking(), SEQUENCES, SEQUENCES, 0, 0),
    Row(lambda: nn.MultiHeadAttention(2), SEQUENCES, SEQUENCES, 4, 80),
    Row(lambda: nn.Sequential(nn.Dense(3), nn.relu, nn.Dense(2)), ROWS, (3, 2), 4, 23),
]  # fmt: skip
rows = pytest.mark.parametrize("row", ROWS_OF_LAYERS, ids=str)


def numbers(shape: tuple[int, ...]) -> Any:
    return np.random.default_rng(7).normal(size=shape)


def test_every_layer_has_a_row() -> None:
    made = {type(module).__name__ for row in ROWS_OF_LAYERS for module in [row.make()]}
    layers = {name for name in nn.__all__ if isinstance(getattr(nn, name), type)} - {"Module", "Model", "LSTMState"}
    named_tuples = {name for name in layers if issubclass(getattr(nn, name), tuple)}
    assert layers - named_tuples - made == {"Embedding"}  # its input is integers: tested below


@rows
def test_a_layer_has_this_shape_and_these_weights(row: Row, backend: str) -> None:
    with pt.device(backend):
        layer = row.make()
        x = pt.asarray(numbers(row.shape).astype("float32"))
        assert not layer.built and layer.variables == []
        y = layer(x)
        assert y.shape == row.result and y.dtype == pt.float32 and y.device is x.device and layer.built
        assert len(layer.variables) == row.weights and sum(v.size for v in layer.variables) == row.elements
        assert all(v.device is x.device for v in layer.variables)
        assert np.array_equal(layer(x).numpy(), y.numpy())  # without training, a call changes nothing


@rows
def test_declared_shapes_make_the_same_weights_as_a_call(row: Row) -> None:
    called, declared = row.make(), row.make()
    called(pt.asarray(numbers(row.shape)))
    declared.build((None, *row.shape[1:]))
    assert {k: v.shape for k, v in declared.named_variables.items()} == {
        k: v.shape for k, v in called.named_variables.items()
    }


@rows
def test_lists_and_arrays_are_inputs_as_tensors_are(row: Row) -> None:
    layer = row.make()
    x = numbers(row.shape).astype("float32")
    y = layer(pt.asarray(x)).numpy()
    assert np.array_equal(layer(x).numpy(), y) and np.allclose(layer(x.tolist()).numpy(), y, rtol=1e-6)


@rows
def test_a_traced_layer_returns_what_an_eager_one_does_and_makes_weights_in_the_trace(row: Row) -> None:
    layer = row.make()
    x = pt.asarray(numbers(row.shape).astype("float32"))
    traced = pt.function(lambda x: layer(x))
    y = traced(x)
    assert len(layer.variables) == row.weights
    assert np.allclose(y.numpy(), layer(x).numpy(), rtol=1e-5, atol=1e-6)


@rows
def test_gradients_of_input_and_weights_agree_with_finite_differences(row: Row) -> None:
    layer = row.make()
    x = pt.asarray(numbers(row.shape))
    layer.build(row.shape)
    names = [name for name, variable in layer.named_variables.items() if variable.trainable]
    values = [pt.asarray(numbers(layer.named_variables[name].shape) * 0.5 + 0.1) for name in names]
    direction = numbers(row.result)

    def loss(x: pt.Tensor, *values: pt.Tensor) -> pt.Tensor:
        return pt.sum(layer.functional_call(dict(zip(names, values, strict=True)), x) * direction)

    def along(t: float) -> float:
        moved = [a + t * b for a, b in zip([x, *values], steps, strict=True)]
        return float(loss(*moved))

    steps = [numbers((*a.shape, 2))[..., 1] for a in [x, *values]]
    with pt.GradientTape() as tape:
        for operand in [x, *values]:
            tape.watch(operand)
        y = loss(x, *values)
    gradients = tape.gradient(y, [x, *values])
    slope = sum(float(pt.sum(g * s)) for g, s in zip(gradients, steps, strict=True))
    assert slope == pytest.approx((along(1e-6) - along(-1e-6)) / 2e-6, rel=1e-5, abs=1e-6)


@rows
def test_a_layer_can_be_copied_and_pickled_before_and_after_its_first_call(row: Row) -> None:
    x = pt.asarray(numbers(row.shape).astype("float32"))
    layer = pickle.loads(pickle.dumps(copy.deepcopy(row.make())))
    y = layer(x).numpy()
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert np.array_equal(other(x).numpy(), y) and repr(other) == repr(layer)
        assert not {id(v) for v in other.variables} & {id(v) for v in layer.variables}
    assert [id(v) for v in copy.copy(layer).variables] == [id(v) for v in layer.variables]


def test_a_layer_with_float64_weights_computes_in_float64() -> None:
    layer = nn.Dense(2, dtype="float64")
    assert layer(pt.ones((2, 3))).dtype == pt.float64 and layer.weight.dtype == pt.float64


def test_an_embedding_returns_rows_of_its_table(backend: str) -> None:
    with pt.device(backend):
        layer = nn.Embedding(5, 3, weight_initializer=np.arange(15.0).reshape(5, 3))
        assert layer(pt.asarray([[1, 4]])).tolist() == [[[3.0, 4.0, 5.0], [12.0, 13.0, 14.0]]]
        model = nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.Dense(2))
        model.build((None, 4), dtype="int32")
        assert [v.shape for v in model.variables] == [(5, 3), (12, 2), (2,)]

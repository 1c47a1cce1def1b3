"""Compare the layers and losses of `polytape.nn` with PyTorch's: `python tests/run_nn_oracles.py`. It needs torch.

A layer is given the weights of PyTorch's module. Compared are results, the gradients of the input and of all weights,
and what a call in training changes. The exit status is 1 if a number differs by more than 1e-10, relative to the
largest of its array, all in float64.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as functional

import polytape as pt

RNG = np.random.default_rng(0)
LIMIT = 1e-10
IMAGES, SEQUENCE, VOLUME = (2, 6, 8, 4), (2, 5, 4), (2, 4, 6, 4, 2)
nn, tn = pt.nn, torch.nn


def identity(x: Any) -> Any:
    """``x`` itself."""
    return x


def first(x: Any) -> Any:
    """Channels last to channels first."""
    return np.moveaxis(x, -1, 1)


def last(x: Any) -> Any:
    """Channels first to channels last."""
    return np.moveaxis(x, 1, -1)


def window(w: Any) -> Any:
    """PyTorch's weights of a convolution [out, in, *window] as ours [*window, in, out]; of its transpose likewise."""
    return np.moveaxis(w, (0, 1), (-1, -2))


def depthwise(w: Any) -> Any:
    """PyTorch's weights [channels * multiplier, 1, *window] as ours [*window, channels, multiplier]."""
    return np.moveaxis(w, (0, 1), (-1, -2)).reshape(*w.shape[2:], 4, -1)


class Row(NamedTuple):
    """One comparison.

    Attributes:
        ours, theirs: the layer and PyTorch's module.
        shape: of our input.
        weights: by our name, PyTorch's name and what turns its values into ours.
        before, after: our input as PyTorch's, and its result as ours.
        training: whether the call trains.
    """

    ours: Any
    theirs: Any
    shape: tuple[int, ...]
    weights: dict[str, tuple[str, Callable[[Any], Any]]]
    before: Callable[[Any], Any] = identity
    after: Callable[[Any], Any] = identity
    training: bool = False


PLAIN = {"weight": ("weight", identity), "bias": ("bias", identity)}
CONV = {"weight": ("weight", window), "bias": ("bias", identity)}
AVERAGES = {"moving_mean": ("running_mean", identity), "moving_variance": ("running_var", identity)}
RNN = {"weight_ih": ("weight_ih_l0", identity), "weight_hh": ("weight_hh_l0", identity)}
GRU = {**RNN, "bias": ("bias_ih_l0", identity), "recurrent_bias": ("bias_hh_l0", identity)}


class Output(tn.Module):
    """A recurrent or attention module of which the first result is taken."""

    def __init__(self, inner: Any, *, same: int = 1) -> None:
        super().__init__()
        self.inner, self.same = inner, same

    def forward(self, x: Any) -> Any:
        """The first result."""
        return self.inner(*[x] * self.same)[0]


def inner(weights: dict[str, Any]) -> dict[str, Any]:
    """The weights of `Output`."""
    return {ours: (f"inner.{name}", change) for ours, (name, change) in weights.items()}


def both(weights: dict[str, Any]) -> dict[str, Any]:
    """The weights of a bidirectional network."""
    sides = (("forward_layer", ""), ("backward_layer", "_reverse"))
    return {
        f"{side}/{ours}": (f"inner.{name}{end}", change)
        for side, end in sides
        for ours, (name, change) in weights.items()
    }


def linear() -> Iterator[Row]:
    """Dense layers and convolutions."""
    yield Row(nn.Dense(3), tn.Linear(4, 3), SEQUENCE, {"weight": ("weight", np.transpose), "bias": PLAIN["bias"]})
    yield Row(nn.Conv1D(3, 2, 2), tn.Conv1d(4, 3, 2, 2), SEQUENCE, CONV, first, last)
    yield Row(
        nn.Conv2D(6, 3, dilation=2, padding=1), tn.Conv2d(4, 6, 3, padding=1, dilation=2), IMAGES, CONV, first, last
    )
    yield Row(nn.Conv2D(6, 3, groups=2), tn.Conv2d(4, 6, 3, groups=2), IMAGES, CONV, first, last)
    yield Row(nn.Conv2D(6, 3, data_format="channels_first"), tn.Conv2d(4, 6, 3), (2, 4, 6, 8), CONV)
    yield Row(nn.Conv3D(3, 2), tn.Conv3d(2, 3, 2), VOLUME, CONV, first, last)
    yield Row(nn.Conv1DTranspose(3, 3, 2), tn.ConvTranspose1d(4, 3, 3, 2), SEQUENCE, CONV, first, last)
    yield Row(
        nn.Conv2DTranspose(3, 3, 2, 1, output_padding=1),
        tn.ConvTranspose2d(4, 3, 3, 2, padding=1, output_padding=1), IMAGES, CONV, first, last,
    )  # fmt: skip
    yield Row(nn.Conv3DTranspose(3, 2, 2), tn.ConvTranspose3d(2, 3, 2, 2), VOLUME, CONV, first, last)
    yield Row(
        nn.DepthwiseConv2D(3, multiplier=2), tn.Conv2d(4, 8, 3, groups=4), IMAGES,
        {"weight": ("weight", depthwise), "bias": PLAIN["bias"]}, first, last,
    )  # fmt: skip
    yield Row(
        nn.SeparableConv2D(5, 3, multiplier=2),
        tn.Sequential(tn.Conv2d(4, 8, 3, groups=4, bias=False), tn.Conv2d(8, 5, 1)), IMAGES,
        {
            "depthwise_weight": ("0.weight", depthwise), "pointwise_weight": ("1.weight", window),
            "bias": ("1.bias", identity),
        },
        first, last,
    )  # fmt: skip


def local() -> Iterator[Row]:
    """Normalization, pools, and what changes shapes."""
    for training in (False, True):
        norm = tn.BatchNorm2d(4, eps=1e-3, momentum=0.25)
        yield Row(nn.BatchNorm(0.75), norm, IMAGES, {**PLAIN, **AVERAGES}, first, last, training)
    yield Row(nn.LayerNorm(), tn.LayerNorm(4), SEQUENCE, PLAIN)
    yield Row(nn.LayerNorm((1, 2)), tn.LayerNorm((5, 4)), SEQUENCE, PLAIN)
    yield Row(nn.GroupNorm(2), tn.GroupNorm(2, 4), IMAGES, PLAIN, first, last)
    yield Row(nn.RMSNorm(), tn.RMSNorm(4, eps=1e-6), SEQUENCE, {"weight": PLAIN["weight"]})
    yield Row(nn.MaxPool2D(2, 1), tn.MaxPool2d(2, 1), IMAGES, {}, first, last)
    yield Row(nn.AvgPool3D(2), tn.AvgPool3d(2), VOLUME, {}, first, last)
    yield Row(nn.GlobalAvgPool2D(keepdims=True), tn.AdaptiveAvgPool2d(1), IMAGES, {}, first, last)
    yield Row(nn.GlobalMaxPool1D(keepdims=True), tn.AdaptiveMaxPool1d(1), SEQUENCE, {}, first, last)
    yield Row(nn.UpSampling2D((2, 3)), tn.Upsample(scale_factor=(2, 3)), IMAGES, {}, first, last)
    bilinear = tn.Upsample(scale_factor=2, mode="bilinear")
    yield Row(nn.UpSampling2D(interpolation="bilinear"), bilinear, IMAGES, {}, first, last)
    yield Row(nn.ZeroPadding2D(((1, 2), (3, 0))), tn.ZeroPad2d((3, 0, 1, 2)), IMAGES, {}, first, last)


def over_time() -> Iterator[Row]:
    """Recurrent networks and attention."""
    rnn = tn.RNN(4, 3, nonlinearity="relu", bias=False, batch_first=True)
    ours = nn.SimpleRNN(3, "relu", return_sequences=True, use_bias=False)
    yield Row(ours, Output(rnn), SEQUENCE, inner(RNN))
    yield Row(nn.GRU(3, return_sequences=True), Output(tn.GRU(4, 3, batch_first=True)), SEQUENCE, inner(GRU))
    lstm = tn.LSTM(4, 3, batch_first=True, bias=False)
    yield Row(nn.LSTM(3, return_sequences=True, use_bias=False), Output(lstm), SEQUENCE, inner(RNN))
    two = tn.GRU(4, 3, batch_first=True, bidirectional=True)
    yield Row(nn.Bidirectional(nn.GRU(3, return_sequences=True)), Output(two), SEQUENCE, both(GRU))
    heads = {
        "in_weight": ("in_proj_weight", identity), "in_bias": ("in_proj_bias", identity),
        "out_weight": ("out_proj.weight", identity), "out_bias": ("out_proj.bias", identity),
    }  # fmt: skip
    attention = tn.MultiheadAttention(4, 2, batch_first=True)
    yield Row(nn.MultiHeadAttention(2), Output(attention, same=3), SEQUENCE, inner(heads))


def differences(row: Row) -> Iterator[tuple[str, float]]:
    """What is compared, with the relative difference."""
    x = RNG.normal(size=row.shape)
    row.ours.build(row.shape)
    theirs = row.theirs.double().train(row.training)
    with torch.no_grad():
        for _, value in [*theirs.named_parameters(), *theirs.named_buffers()]:
            if value.dtype is torch.float64:
                value.copy_(torch.from_numpy(RNG.uniform(0.1, 0.9, tuple(value.shape))))
    named = {**dict(theirs.named_parameters()), **dict(theirs.named_buffers())}
    ours: dict[str, Any] = {}
    for name, variable in row.ours.named_variables.items():
        other, change = row.weights[name]
        value = np.ascontiguousarray(change(named[other].detach().numpy()))
        ours[name] = pt.Variable(value, variable.trainable)
        assert value.shape == variable.shape, name
    model = replaced(row.ours, ours)
    inputs = pt.asarray(x)
    with pt.GradientTape() as tape:
        tape.watch(inputs)
        y = model(inputs, training=row.training)
        direction = RNG.normal(size=y.shape)
        total = pt.sum(y * direction)
    trained = [name for name, variable in ours.items() if variable.trainable]
    gradients = tape.gradient(total, [inputs, *[ours[name] for name in trained]])
    given = torch.from_numpy(np.ascontiguousarray(row.before(x))).requires_grad_()
    result = theirs(given)
    yield "result", distance(y, row.after(result.detach().numpy()))
    (result * torch.from_numpy(np.ascontiguousarray(unlike(row, direction)))).sum().backward()
    yield "gradient of the input", distance(gradients[0], row.after(given.grad.numpy()))
    for name, gradient in zip(trained, gradients[1:], strict=True):
        other, change = row.weights[name]
        yield f"gradient of {name}", distance(gradient, change(named[other].grad.numpy()))
    for name in ours.keys() - set(trained):
        other, change = row.weights[name]
        yield f"new {name}", distance(ours[name], change(named[other].numpy()))


def replaced(layer: Any, variables: dict[str, pt.Variable]) -> Any:
    """The layer with other variables, in float64."""
    for name, variable in variables.items():
        *path, attribute = name.split("/")
        owner = layer
        for part in path:
            owner = getattr(owner, part)
        setattr(owner, attribute, variable)
    return layer


def unlike(row: Row, direction: Any) -> Any:
    """The direction of our result as one of PyTorch's."""
    return first(direction) if row.after is last else direction


def distance(found: Any, expected: Any) -> float:
    """The largest difference, relative to the largest number."""
    found = np.asarray(found.numpy())
    assert found.shape == expected.shape, (found.shape, expected.shape)
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-30))


def losses() -> Iterator[tuple[str, float]]:
    """The losses that PyTorch has, by name, with the relative difference."""
    a, b = RNG.normal(size=(4, 6)), RNG.normal(size=(4, 6))
    p, variance = RNG.uniform(0.1, 0.9, (4, 6)), RNG.uniform(0.1, 2.0, (4, 6))
    bits, counts = (RNG.uniform(size=(4, 6)) < 0.5).astype("float64"), RNG.poisson(3.0, (4, 6)).astype("float64")
    n, t, ones = pt.nn, functional, np.ones(4)
    # Ours, PyTorch's, the arguments in our order, the order of PyTorch's arguments, our and PyTorch's options.
    rows: list[tuple[Any, Any, list[Any], tuple[int, ...], dict[str, Any], dict[str, Any]]] = [
        (n.mean_squared_error, t.mse_loss, [a, b], (1, 0), {}, {}),
        (n.l1_loss, t.l1_loss, [a, b], (1, 0), {}, {}),
        (n.huber_loss, t.huber_loss, [a, b], (1, 0), {"delta": 0.7}, {"delta": 0.7}),
        (n.gaussian_nll, t.gaussian_nll_loss, [a, b, variance], (1, 0, 2), {"full": True}, {"full": True}),
        (n.poisson_nll, t.poisson_nll_loss, [counts, b], (1, 0), {"full": True}, {"full": True}),
        (n.log_loss, t.binary_cross_entropy, [bits, p], (1, 0), {"epsilon": 0.0}, {}),
        (n.cosine_distance, t.cosine_embedding_loss, [a, b], (0, 1), {}, {"target": torch.from_numpy(ones)}),
        (n.triplet_margin, t.triplet_margin_loss, [a, b, p], (0, 1, 2), {}, {}),
    ]
    for ours, theirs, arguments, order, our_options, their_options in rows:
        given = [torch.from_numpy(arguments[k]) for k in order]
        for reduction in ("mean", "sum", "none"):
            expected = theirs(*given, reduction=reduction, **their_options).numpy()
            found = ours(*arguments, reduction=reduction, **our_options)
            yield f"{ours.__name__}, {reduction}", distance(found, expected)


def main() -> int:
    """Print each comparison; 1 if one failed."""
    torch.manual_seed(0)
    failed = 0
    compared = [
        (str(row.ours).replace("\n ", ""), list(differences(row)))
        for rows in (linear, local, over_time)
        for row in rows()
    ]
    for title, found in [*compared, ("losses", list(losses()))]:
        worst = max(value for _, value in found)
        wrong = [f"{what}: {value:.1e}" for what, value in found if not value <= LIMIT]
        failed += len(wrong)
        print(f"{title}: {len(found)} comparisons, {worst:.1e}", *wrong, sep="\n  " if wrong else "")
    print(f"{sum(len(found) for _, found in compared)} comparisons of {len(compared)} layers, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

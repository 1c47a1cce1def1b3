"""Training modules: traced steps, freezing, losses, constraints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import polytape as pt

nn = pt.nn
X = pt.asarray([[1.0, -2.0, 0.5, 3.0], [0.0, 1.0, 2.0, -1.0]])


class Net(nn.Module):
    def __init__(self) -> None:
        self.scale = pt.Variable(2.0, name="scale")
        self.hidden = nn.Dense(3, activation=nn.relu)
        self.more = {"a": [nn.BatchNorm(), nn.Dropout(0.5)], "b": nn.Dense(2)}

    def call(self, x: pt.Tensor) -> pt.Tensor:
        y = self.hidden(x) * self.scale
        for layer in self.more["a"]:
            y = layer(y)
        return self.more["b"](y)


def test_a_traced_model_trains_as_an_eager_one(backend: str) -> None:
    with pt.device(backend):
        x, labels = X.to_device(pt.zeros(()).device), pt.asarray([0, 1])
        results = []
        for traced in (False, True):
            pt.random.seed(3)
            model, sgd = nn.Sequential(nn.Dense(4, "tanh"), nn.BatchNorm(0.5), nn.Dense(2)), pt.optim.SGD(0.1)

            def step(x: Any, labels: Any, model: Any = model, sgd: Any = sgd) -> Any:
                with pt.GradientTape() as tape:
                    logits = model(x, training=True)
                    loss = pt.mean(nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
                variables = model.trainable_variables
                sgd.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
                return loss

            run = pt.function(step) if traced else step
            losses = [float(run(x, labels)) for _ in range(4)]
            results.append([*losses, *[float(pt.sum(v)) for v in model.variables]])
        assert np.allclose(results[0], results[1], rtol=1e-4, atol=1e-5) and results[0][3] < results[0][0]


def test_a_frozen_module_has_no_trainable_variables_and_tapes_do_not_watch_them() -> None:
    net = Net()
    net.hidden.trainable = False  # before the weights exist
    with pt.GradientTape() as tape:
        net(X, training=True)
    assert [v.name for v in tape.watched_variables()] == ["scale", "weight", "bias", "weight", "bias"]
    net.trainable = False
    assert net.trainable_variables == [] and not net.more["b"].trainable
    net.more["b"].trainable = True
    assert [v.shape for v in net.trainable_variables] == [(3, 2), (2,)]
    net.trainable = True
    assert [v.name for v in net.non_trainable_variables] == ["moving_mean", "moving_variance"]  # as before
    net.trainable = True  # no effect
    assert len(net.trainable_variables) == 7


def test_tied_weights_are_trained_again_through_any_module_that_has_them() -> None:
    class Tied(nn.Module):
        def __init__(self, weight: pt.Variable) -> None:
            self.weight = weight

    shared = pt.Variable([1.0])
    pair = nn.Module()
    pair.a, pair.b = Tied(shared), Tied(shared)
    pair.trainable = False
    assert not shared.trainable
    pair.b.trainable = True
    assert shared.trainable


def test_a_frozen_module_freezes_plain_trackables_too_and_what_was_never_trained_stays_so() -> None:
    class Plain(pt.Trackable):
        def __init__(self) -> None:
            self.w, self.fixed = pt.Variable(1.0), pt.Variable(1.0, trainable=False)

    outer = nn.Module()
    outer.plain = Plain()
    outer.trainable = False
    assert not outer.plain.w.trainable
    outer.trainable = True
    assert outer.plain.w.trainable and not outer.plain.fixed.trainable


def test_a_traced_step_is_traced_again_when_a_module_is_frozen() -> None:
    model, sgd = nn.Sequential(nn.Dense(2), nn.BatchNorm()), pt.optim.SGD(0.1)

    @pt.function
    def step(x: pt.Tensor) -> None:
        with pt.GradientTape() as tape:
            y = pt.sum(model(x, training=True) ** 3)
        variables = model.trainable_variables
        sgd.apply_gradients(zip(tape.gradient(y, variables), variables, strict=True))

    step(X)
    before = [v.numpy() for v in model.variables]
    model[0].trainable = False
    step(X)
    changed = [not np.array_equal(v.numpy(), b) for v, b in zip(model.variables, before, strict=True)]
    assert changed[:2] == [False, False] and changed[4:] == [True, True]
    model[1].trainable = False
    model[0].trainable = True
    before = [v.numpy() for v in model.variables]
    step(X)
    changed = [not np.array_equal(v.numpy(), b) for v, b in zip(model.variables, before, strict=True)]
    assert changed[0] and changed[2:] == [False] * 4


def test_losses_are_those_of_the_regularizers_and_have_gradients() -> None:
    l2, l1 = nn.regularizers.L2(0.5), nn.regularizers.L1(2.0)
    model = nn.Sequential(
        nn.Dense(2, weight_regularizer=l2, bias_regularizer=l1, bias_initializer=-1.5), nn.relu, nn.Dense(2)
    )
    model(X)
    weight, bias = model[0].weight, model[0].bias
    with pt.GradientTape() as tape:
        total = sum(model.losses)
    assert [float(x) for x in model.losses] == pytest.approx([0.5 * np.square(weight.numpy()).sum(), 6.0])
    gradients = tape.gradient(total, [weight, bias])
    assert np.allclose(gradients[0].numpy(), weight.numpy()) and gradients[1].tolist() == [-2.0, -2.0]
    assert nn.Dense(2).losses == []


def test_constraints_are_applied_when_they_are_called_also_in_a_trace() -> None:
    for wrap in (lambda f: f, pt.function):
        layer = nn.Dense(2, weight_constraint=nn.constraints.MaxNorm(1.0), weight_initializer=3.0)
        layer(X)
        bias = layer.bias.numpy()
        wrap(layer.apply_constraints)()
        assert np.allclose(layer.weight.numpy(), 0.5) and np.array_equal(layer.bias.numpy(), bias)


def test_a_traced_part_of_a_model_trains_as_its_caller_says() -> None:
    traces = []

    class Inner(nn.Module):
        def __init__(self) -> None:
            self.dropout = nn.Dropout(1.0)

        @pt.function
        def call(self, x: pt.Tensor) -> pt.Tensor:
            traces.append(1)
            return self.dropout(x)

    model = nn.Sequential(Inner())
    for training in (False, True, False, True):
        assert bool(pt.all(model(X, training=training) == 0.0)) is training
    count = len(traces)
    model(X, training=True)
    assert len(traces) == count

    class Chosen(nn.Module):
        def __init__(self) -> None:
            self.inner = nn.Sequential(nn.Dropout(1.0))

        @pt.function
        def call(self, x: pt.Tensor) -> pt.Tensor:
            traces.append(1)
            return self.inner(x, training=True)

    chosen, count = Chosen(), len(traces)
    for training in (False, True, False):
        assert bool(pt.all(chosen(X, training=training) == 0.0))
    assert len(traces) == count + 1  # what is chosen inside does not depend on the caller

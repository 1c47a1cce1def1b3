"""Modules: variables and their names, building, training, freezing, losses, constraints, checkpoints, copies."""

from __future__ import annotations

import threading
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, SettingError, ShapeError, UnknownNameError

nn = pt.nn


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


NAMES = [
    "scale", "hidden/weight", "hidden/bias", "more/a/0/weight", "more/a/0/bias", "more/a/0/moving_mean",
    "more/a/0/moving_variance", "more/b/weight", "more/b/bias",
]  # fmt: skip
X = pt.asarray([[1.0, -2.0, 0.5, 3.0], [0.0, 1.0, 2.0, -1.0]])


def test_variables_are_in_the_order_of_attributes_and_named_as_in_a_checkpoint(tmp_path: Path) -> None:
    net = Net()
    net(X)
    assert list(net.named_variables) == NAMES
    assert [id(v) for v in net.named_variables.values()] == [id(v) for v in net.variables]
    assert [v.name for v in net.non_trainable_variables] == ["moving_mean", "moving_variance"]
    assert len(net.trainable_variables) == 7
    path = pt.Checkpoint(net=net).save(tmp_path / "net")
    assert sorted(pt.load(path)) == sorted(f"net/{name}" for name in NAMES)
    assert list(net.submodules) == ["hidden", "more/a/0", "more/a/1", "more/b"]


def test_everything_that_a_checkpoint_finds_is_a_variable_of_the_module() -> None:
    class Plain:
        def __init__(self) -> None:
            self.w = pt.Variable(1.0)

    class Slotted(nn.Module):
        __slots__ = ("inside",)

        def __init__(self) -> None:
            self.inside = pt.Variable(2.0)

    class Odd(nn.Module):
        shared = pt.Variable(3.0)
        _untracked = ("hidden",)

        def __init__(self) -> None:
            self.plain, self.slotted, self.pair = Plain(), Slotted(), (pt.Variable(4.0), 7, "text")
            self.hidden = pt.Variable(5.0)
            self._private = pt.Variable(6.0)
            self.again = self.plain.w

    odd = Odd()
    assert {name: float(v) for name, v in odd.named_variables.items()} == {
        "again": 1.0, "slotted/inside": 2.0, "pair/0": 4.0, "_private": 6.0, "shared": 3.0,
    }  # fmt: skip
    assert len(odd.variables) == 5
    Odd.later = pt.Variable(8.0)  # type: ignore[attr-defined]  # a class attribute that is assigned afterwards counts
    assert len(odd.variables) == 6


def test_a_shared_layer_shares_its_variables_and_a_circle_ends() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            self.first = self.second = nn.Dense(4)
            self.me = self

        def call(self, x: pt.Tensor) -> pt.Tensor:
            return self.second(self.first(x))

    twice = Twice()
    with pt.GradientTape() as tape:
        y = pt.sum(twice(X))
    assert list(twice.named_variables) == ["first/weight", "first/bias"]
    w = twice.first.weight.numpy()
    gradient = tape.gradient(y, twice.first.weight).numpy()
    x = X.numpy()
    expected = x.T @ (np.ones((2, 4)) @ w.T) + (x @ w + twice.first.bias.numpy()).T @ np.ones((2, 4))
    assert np.allclose(gradient, expected, rtol=1e-5)


def test_weights_are_made_once_on_the_input_s_device_and_are_not_recorded() -> None:
    layer = nn.Dense(2)
    with pt.GradientTape() as tape:
        y = pt.sum(layer(X.to_device("sim:sim:1")))
    weight = layer.weight
    assert str(weight.device) == "sim:sim:1" and tape.gradient(y, weight).shape == (4, 2)
    layer(X.to_device("sim:sim:1"))
    layer.build((None, 9))  # no effect: the weights exist
    assert layer.weight is weight and weight.shape == (4, 2)


def test_threads_that_call_a_module_first_make_its_weights_once() -> None:
    for _ in range(20):
        layer, found = nn.Dense(64), []
        barrier = threading.Barrier(4)

        def work(layer: Any = layer, found: list[Any] = found, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            found.append((layer(X).numpy(), id(layer.weight)))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({weight for _, weight in found}) == 1
        assert all(np.array_equal(y, layer(X).numpy()) for y, _ in found)


def test_build_makes_the_weights_of_every_layer_without_computing() -> None:
    net = Net()
    net.build((None, 4))
    assert list(net.named_variables) == NAMES and net.built
    assert net.more["a"][0].moving_mean.tolist() == [0.0, 0.0, 0.0]

    class Own(nn.Module):
        def __init__(self) -> None:
            self.inner = nn.Dense(2)

        def build(self, shape: Any) -> None:
            self.add_weight("w", (shape[-1],), "ones")

        def call(self, x: pt.Tensor) -> pt.Tensor:
            return self.inner(x * self.w)

    own = Own()
    own.build((None, 5))
    assert {name: v.shape for name, v in own.named_variables.items()} == {
        "inner/weight": (5, 2), "inner/bias": (2,), "w": (5,),
    }  # fmt: skip

    class Derived(Own):
        def build(self, shape: Any) -> None:
            super().build(shape)
            self.add_weight("b", (), 1.5)

    derived = Derived()
    assert derived(X).shape == (2, 2) and float(derived.b) == 1.5 and derived.w.shape == (4,)


def test_several_inputs_are_declared_by_several_shapes() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            self.a, self.b = nn.Dense(2), nn.Dense(2)

        def call(self, pair: tuple[pt.Tensor, pt.Tensor], z: pt.Tensor) -> pt.Tensor:
            return self.a(pair[0]) + self.b(pair[1]) + z

    two = Two()
    two.build(((None, 3), (None, 5)), (None, 2))
    assert [v.shape for v in two.variables] == [(3, 2), (2,), (5, 2), (2,)]


def test_a_method_that_is_traced_is_a_call() -> None:
    class Traced(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Dense(2)

        @pt.function
        def call(self, x: pt.Tensor, training: bool = False) -> pt.Tensor:
            return self.layer(x) * (2.0 if training else 1.0)

    traced = Traced()
    assert (traced(X, training=True) / traced(X)).tolist() == [[2.0, 2.0]] * 2
    assert list(traced.named_variables) == ["layer/weight", "layer/bias"]


@pytest.mark.parametrize(("shape", "error"), [((None, 2.5), DTypeError), (5, DTypeError), ((), ShapeError)])
def test_a_shape_that_is_none_is_an_error(shape: Any, error: type) -> None:
    with pytest.raises(error, match=r"shape|weights"):
        nn.Dense(2).build(shape)


class Modes(nn.Module):
    def call(self, x: pt.Tensor, training: bool = False) -> tuple[Any, bool]:
        return x, training


class Outer(nn.Module):
    def __init__(self, **fixed: Any) -> None:
        self.inner, self.fixed = Modes(), fixed

    def call(self, x: pt.Tensor) -> bool:
        return self.inner(x, **self.fixed)[1]


def test_training_holds_for_all_modules_that_are_called_inside() -> None:
    assert Modes()(X)[1] is False and Modes()(X, training=True)[1] is True and Modes()(X, True)[1] is True
    outer = nn.Sequential(Outer())
    assert outer(X) is False and outer(X, training=True) is True and outer(X) is False
    assert nn.Sequential(Outer(training=False))(X, training=True) is False  # what the call inside says
    assert nn.Sequential(Outer(training=True))(X) is True

    def fails(x: pt.Tensor) -> None:
        raise KeyError("stop")

    with pytest.raises(KeyError):
        nn.Sequential(fails)(X, training=True)
    assert outer(X) is False


def test_a_model_is_traced_itself() -> None:
    model = nn.Sequential(nn.Dense(3), nn.Dropout(1.0))
    traced = pt.function(model)
    assert traced(X).tolist() == model(X).tolist()
    assert traced(X, training=True).tolist() == [[0.0] * 3] * 2 and len(model.variables) == 2


def test_training_may_be_a_keyword_behind_any_number_of_arguments() -> None:
    class Several(nn.Module):
        def call(self, *xs: Any, training: bool = False) -> tuple[int, bool]:
            return len(xs), training

    class Middle(nn.Module):
        def call(self, x: pt.Tensor, training: bool | None = None, mask: int = 0) -> tuple[Any, int]:
            return training, mask

    assert (
        Middle()(X, True, 3) == (True, 3) and Middle()(X, None, 3) == (False, 3) and Middle()(X, mask=4) == (False, 4)
    )
    assert nn.Sequential(lambda x: Middle()(x, None, 5))(X, training=True) == (True, 5)
    with pytest.raises(TypeError, match="multiple values"):
        Middle()(X, True, training=True)

    assert Several()(X, X) == (2, False) and Several()(X, X, training=True) == (2, True)


def test_an_initial_value_is_not_a_variable_of_the_layer() -> None:
    value = pt.Variable([[1.0, 2.0]])
    for layer in (nn.Dense(2, weight_initializer=value), nn.SimpleRNN(1, recurrent_initializer=pt.Variable([[1.0]]))):
        layer.build((None, 1) if isinstance(layer, nn.Dense) else (None, 1, 1))
        assert not {id(v) for v in layer.variables} & {id(value)} and len(layer.variables) == len(layer.named_variables)
    assert len(layer.variables) == 3


def test_copies_of_a_layer_without_weights_draw_different_ones_from_one_generator() -> None:
    glorot = nn.initializers.GlorotUniform(generator=pt.random.Generator(1))
    both = nn.Bidirectional(nn.GRU(3, weight_initializer=glorot))
    both.build((None, 2, 4))
    first, second = both.forward_layer.weight_ih.numpy(), both.backward_layer.weight_ih.numpy()
    assert not np.array_equal(first, second)


def test_weights_are_made_inside_other_transformations() -> None:
    for transformed in (
        lambda f: pt.vmap(f)(X),
        lambda f: pt.jvp(f, (X,), (X,))[0],
        lambda f: pt.recompute(f)(X),
    ):
        layer = nn.Dense(3)
        y = transformed(layer)
        assert y.shape == (2, 3) and np.allclose(y.numpy(), layer(X).numpy()) and layer.weight.shape == (4, 3)


def test_a_checkpoint_restored_before_the_weights_exist_gives_their_values(tmp_path: Path, backend: str) -> None:
    with pt.device(backend):
        x = X.to_device(pt.zeros(()).device)
        net = Net()
        y = net(x, training=True)
        y = net(x)
        path = pt.Checkpoint(net=net).save(tmp_path / "net")
        for first in (lambda net: net(x), lambda net: pt.function(net)(x), lambda net: net.build((None, 4))):
            other = Net()
            status = pt.Checkpoint(net=other).restore(path)
            first(other)
            status.assert_consumed()
            assert np.array_equal(other(x).numpy(), y.numpy())
        wrong = Net()
        wrong.hidden = nn.Dense(5)
        pt.Checkpoint(net=wrong).restore(path)
        with pytest.raises(pt.PolytapeError, match="different shape"):
            wrong(x)


def test_a_functional_call_uses_other_values_and_has_gradients_by_them() -> None:
    net = Net()
    y = net(X).numpy()
    values = {name: v.read_value() * 2.0 for name, v in net.named_variables.items() if "b/" in name}
    z = net.functional_call(values, X)
    assert np.allclose(z.numpy(), 2.0 * y, rtol=1e-5) and np.array_equal(net(X).numpy(), y)
    gradient = pt.gradients_function(lambda w: pt.sum(net.functional_call({"more/b/weight": w}, X)))
    assert gradient(net.more["b"].weight.read_value())[0].shape == (3, 2)
    stacked = pt.stack([net.scale.read_value(), net.scale.read_value() * 0.0])
    mapped = pt.vmap(lambda s: net.functional_call({"scale": s}, X))(stacked)
    assert np.allclose(mapped[0].numpy(), y, rtol=1e-5) and mapped.shape == (2, 2, 2)
    with pytest.raises(UnknownNameError, match=r"no variable 'scales'(.|\n)*expected: scale, hidden/weight"):
        net.functional_call({"scales": 1.0}, X)
    with pytest.raises(ShapeError, match=r"'scale'(.|\n)*shape \(\)"):
        net.functional_call({"scale": X}, X)


def test_a_functional_call_draws_new_random_numbers_each_time() -> None:
    layer = nn.Dropout(0.5, generator=pt.random.Generator(1))
    x = pt.ones((100,))
    first, second = (layer.functional_call({}, x, training=True).numpy() for _ in range(2))
    assert not np.array_equal(first, second)


def test_a_module_without_call_says_what_to_define() -> None:
    class Torch(nn.Module):
        def forward(self, x: Any) -> Any:
            return x

    with pytest.raises(UnknownNameError, match="a method forward"):
        Torch()(X)


def test_an_error_names_the_innermost_layer_and_hides_the_frames_of_polytape() -> None:
    net = Net()
    net(X)
    with pytest.raises(ShapeError) as caught:
        net(pt.ones((2, 7)))
    assert caught.value.__notes__ == ["  in: Dense(3, relu)"]
    frames = traceback.extract_tb(caught.tb)
    assert len(frames) <= 4, frames


def test_repr_and_summary(capsys: pytest.CaptureFixture[str]) -> None:
    net = Net()
    net(X)
    assert repr(net) == (
        "Net()\n  hidden: Dense(3, relu)\n  more/a/0: BatchNorm()\n  more/a/1: Dropout()\n  more/b: Dense(2)"
    )
    assert repr(nn.Conv2D(8, 3, padding="same", weight_initializer=nn.initializers.HeNormal())) == (
        "Conv2D(8, (3, 3), padding='same', weight_initializer=HeNormal())"
    )
    assert repr(nn.Sequential(nn.Sequential(nn.relu, nn.Flatten()))) == (
        "Sequential()\n  layers/0: Sequential()\n    layers/1: Flatten()"
    )
    net.summary()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines[4:9]] == [
        ["Net", "Net", "(2,", "2)", "1"], ["hidden", "Dense", "(2,", "3)", "15"],
        ["more/a/0", "BatchNorm", "(2,", "3)", "12"], ["more/a/1", "Dropout", "(2,", "3)", "0"],
        ["more/b", "Dense", "(2,", "2)", "8"],
    ]  # fmt: skip
    assert lines[-2:] == ["trained       30 (120 bytes)", "not trained   6 (24 bytes)"]


def test_an_argument_that_is_long_an_array_or_cannot_be_printed_does_not_spoil_the_text() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no text")

    class Own(nn.Module):
        def __init__(self, a: Any, b: Any = None) -> None:
            self.a, self.b = a, b

        def call(self, x: pt.Tensor) -> pt.Tensor:
            return x @ X

    assert repr(Own(np.ones((2, 3)), b=list(range(1000)))) == "Own(float64[2,3], <list>)"
    with pytest.raises(ShapeError) as caught:
        Own(Broken())(X)
    assert caught.value.__notes__ == ["  in: Own()"]


def test_sequential_is_a_list_of_layers_and_functions() -> None:
    model = nn.Sequential([nn.Dense(3), pt.tanh])
    model.append(lambda x: x + 1.0)
    assert len(model) == 3 and model[1] is pt.tanh and list(model) == model.layers
    dense = model[0]
    assert np.allclose(model(X).numpy(), np.tanh(dense(X).numpy()) + 1.0, rtol=1e-6)
    assert np.allclose(model[:2](X).numpy(), np.tanh(dense(X).numpy()), rtol=1e-6)
    assert nn.Sequential()(X) is X and bool(nn.Sequential())
    for wrong, text in ((nn.Dense, "call the class"), (3, "in order")):
        with pytest.raises(DTypeError, match=text):
            nn.Sequential([wrong])


def test_a_summary_is_not_given_a_shape() -> None:
    with pytest.raises(DTypeError, match=r"summary takes no shape(.|\n)*fix: module.build"):
        pt.nn.Dense(2).summary((None, 3))  # type: ignore[arg-type]  # the mistake


def test_a_misspelt_activation_is_corrected_and_one_layer_is_no_list() -> None:
    with pytest.raises(SettingError, match="did you mean 'relu'"):
        pt.nn.Dense(2, activation="reluu")
    with pytest.raises(DTypeError, match="Sequential cannot call 3"):
        pt.nn.Sequential(3)  # type: ignore[arg-type]  # the mistake

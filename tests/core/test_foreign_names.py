"""Names of other libraries: each raises an error with what to write in polytape."""

from __future__ import annotations

import re

import pytest

import polytape as pt
from polytape import foreign_names
from polytape.errors import DTypeError, UnknownNameError

MODULES = [(namespace, name) for namespace, table in foreign_names.module_names().items() for name in table]
FIXES = {
    f"{owner} {name}": fix
    for owner, table in (
        *foreign_names.module_names().items(),
        ("Tensor", foreign_names.TENSOR_NAMES),
        ("Optimizer", foreign_names.OPTIMIZER_NAMES),
        ("Module", foreign_names.MODULE_NAMES),
    )
    for name, fix in table.items()
}


@pytest.mark.parametrize(("namespace", "name"), MODULES)
def test_a_name_in_a_module_raises_the_error_with_ours(namespace: str, name: str) -> None:
    module = getattr(pt, namespace) if namespace else pt
    with pytest.raises(UnknownNameError, match=rf"module '{module.__name__}' has no attribute '{name}'(.|\n)*fix: \S"):
        getattr(module, name)
    assert name not in dir(module) and not hasattr(module, name)


@pytest.mark.parametrize("fix", sorted(set(FIXES.values())))
def test_what_an_error_tells_to_write_exists(fix: str) -> None:
    for path in re.findall(r"polytape((?:\.\w+)+)", fix):
        value = pt
        for part in path.split(".")[1:]:
            value = getattr(value, part)
    for name in re.findall(r"\b(?:x|tape|optimizer|module)\.([a-z]\w*)", fix):
        assert any(hasattr(cls, name) for cls in (pt.Tensor, pt.GradientTape, pt.optim.Adam, pt.nn.Module)) or name in (
            "learning_rate", "beta1", "beta2", "epsilon", "step", "dtype",
        ), name  # fmt: skip


@pytest.mark.parametrize("name", foreign_names.TENSOR_NAMES)
def test_an_attribute_of_a_tensor_raises_the_error_when_it_is_read_or_assigned(name: str) -> None:
    x = pt.asarray([1.0])
    pattern = rf"'Tensor' object has no attribute '{name}'(.|\n)*another library(.|\n)*fix: \S"
    with pytest.raises(UnknownNameError, match=pattern):
        getattr(x, name)
    with pytest.raises(UnknownNameError, match=pattern):
        setattr(x, name, 1)
    assert name not in dir(x) and not hasattr(x, name)


@pytest.mark.parametrize("name", foreign_names.OPTIMIZER_NAMES)
def test_an_attribute_of_an_optimizer_raises_the_error_when_it_is_read_or_assigned(name: str) -> None:
    adam = pt.optim.Adam(0.5)
    pattern = rf"'Adam' object has no attribute '{name}'(.|\n)*another library(.|\n)*fix: \S"
    with pytest.raises(UnknownNameError, match=pattern):
        getattr(adam, name)
    with pytest.raises(UnknownNameError, match=pattern):
        setattr(adam, name, 1.0)  # otherwise the program would go on with the old learning rate, for example
    assert name not in dir(adam) and not hasattr(adam, name)
    assert {"learning_rate", "step", "apply_gradients"} <= set(dir(adam))


@pytest.mark.parametrize("name", foreign_names.MODULE_NAMES)
def test_an_attribute_of_a_module_raises_the_error_unless_a_class_of_the_user_has_it(name: str) -> None:
    layer = pt.nn.Dense(2)
    pattern = rf"'Dense' object has no attribute '{name}'(.|\n)*another library(.|\n)*fix: \S"
    with pytest.raises(UnknownNameError, match=pattern):
        getattr(layer, name)
    assert name not in dir(layer) and not hasattr(layer, name)

    class Own(pt.nn.Module):
        def __init__(self) -> None:
            setattr(self, name, pt.Variable(1.0))

    assert list(Own().named_variables) == [name] and len(Own().variables) == 1


def test_an_optimizer_of_the_user_may_use_such_a_name() -> None:
    class Decayed(pt.optim.SGD):
        def __init__(self, lr: float) -> None:
            super().__init__(lr)
            self.lr = lr

    optimizer = Decayed(0.25)
    assert optimizer.lr == 0.25 and "lr" in dir(optimizer)
    with pytest.raises(UnknownNameError, match="zero_grad"):
        optimizer.zero_grad()


@pytest.mark.parametrize(
    ("call", "fix"),
    [
        (lambda x: pt.sum(x, dim=0), "axis=..."),
        (lambda x: pt.max(x, reduction_indices=0), "axis=..."),
        (lambda x: pt.mean(x, keepdim=True), "keepdims=..."),
        (lambda x: pt.concat([x, x], dim=0), "axis=..."),
        (lambda x: pt.nn.softmax(x, dim=-1), "axis=..."),
        (lambda x: pt.ones(size=(2,)), "shape=..."),
        (lambda x: pt.zeros((2,), requires_grad=True), "polytape.Variable(x)"),
        (lambda x: pt.sum(x, out=None), "y = op(x)"),
        (lambda x: pt.random.normal(size=(2,)), "shape=..."),
        (lambda x: pt.random.normal(loc=0.0, shape=(2,)), "mean=..."),
        (lambda x: pt.random.uniform((2,), minval=0.5), "low=..."),
        (lambda x: pt.random.poisson(rate=2.0), "lam=..."),
    ],
)
def test_a_keyword_of_another_library_raises_the_error_with_ours(call: object, fix: str) -> None:
    assert callable(call)
    with pytest.raises(DTypeError, match=rf"unexpected keyword argument(.|\n)*fix: .*{re.escape(fix)}"):
        call(pt.ones((2, 2)))


def test_an_unknown_keyword_raises_python_s_own_error() -> None:
    x = pt.ones((2, 2))
    for call, text in (
        (lambda: pt.sum(x, axs=0), r"sum\(\) got an unexpected keyword argument 'axs' \(has axis, dtype, keepdims\)"),
        (lambda: pt.reshape(x, dim=0), r"reshape\(\) got an unexpected keyword argument 'dim' \(has shape\)"),
    ):
        with pytest.raises(TypeError, match=text) as caught:
            call()
        assert type(caught.value) is TypeError


@pytest.mark.parametrize("call", [lambda: pt.zeros(2, 3), lambda: pt.reshape(pt.ones(6), 2, 3)])
def test_a_shape_in_several_arguments_is_explained(call: object) -> None:
    assert callable(call)
    with pytest.raises(TypeError, match="pass the shape as one tuple"):
        call()

"""Keyword arguments of layers that other libraries have under another name."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import polytape as pt
from polytape.errors import DTypeError
from polytape.nn import keywords

LAYERS = [cls for cls in map(pt.nn.__dict__.get, dir(pt.nn)) if isinstance(cls, type) and issubclass(cls, pt.nn.Module)]


@pytest.mark.parametrize(
    ("call", "fix"),
    [
        (lambda: pt.nn.Conv2D(8, kernel_size=3), "size=..."),
        (lambda: pt.nn.Conv2D(out_channels=8, size=3), "filters=..."),
        (lambda: pt.nn.Dense(in_features=3, out_features=4), "layer.build(shape)"),
        (lambda: pt.nn.Dense(out_features=4), "units=..."),
        (lambda: pt.nn.Dropout(p=0.5), "rate=..."),
        (lambda: pt.nn.MaxPool2D(pool_size=2), "size=..."),
        (lambda: pt.nn.LSTM(hidden_size=4), "units=..."),
        (lambda: pt.nn.LayerNorm(eps=1e-5), "epsilon=..."),
        (lambda: pt.nn.Dense(3, kernel_initializer="zeros"), "weight_initializer=..."),
        (lambda: pt.nn.Flatten(start_dim=1), "use one of these names"),
        (lambda: pt.nn.Dropout(0.5, pool_size=1), "use one of these names"),
    ],
)
def test_another_library_s_keyword_raises_the_error_with_ours(call: Any, fix: str) -> None:
    with pytest.raises(DTypeError, match="unexpected keyword argument") as caught:
        call()
    assert fix in str(caught.value)


def test_every_layer_accepts_its_own_keywords_only() -> None:
    assert len(LAYERS) > 40
    for cls in LAYERS:
        with pytest.raises(DTypeError, match=rf"{cls.__name__}\(\) got an unexpected keyword argument 'nonsense'"):
            cls(nonsense=1)


def test_no_fix_is_a_name_that_layers_have_with_another_meaning() -> None:
    own = {name for cls in LAYERS for name in keywords._accepted(cls) or ()}
    assert not own & set(keywords._FIXES) - {"num_embeddings"}


def test_a_class_of_the_user_has_its_own_keywords() -> None:
    class Block(pt.nn.Module):
        def __init__(self, kernel_size: int, **more: Any) -> None:
            self.kernel_size, self.more = kernel_size, more

        def call(self, x: Any) -> Any:
            return x

    block = Block(kernel_size=3, strides=2)
    assert (block.kernel_size, block.more) == (3, {"strides": 2})
    layer = pickle.loads(pickle.dumps(copy.deepcopy(pt.nn.Dense(3, use_bias=False))))
    assert layer(pt.ones((2, 4))).shape == (2, 3)

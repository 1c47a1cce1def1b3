"""Keyword arguments of layers: the error for one that a layer does not have gives ours for other libraries' names."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterable
from typing import Final

from ..errors import DTypeError

__all__ = ["check_keywords", "unexpected"]

_SHAPE: Final = "layer.build(shape) declares the shape; otherwise the first call gives it"
_FIXES: Final = {
    "batch_first": "leave it out: sequences are (batch, time, features)",
    "bias": "use_bias=...",
    "device": "weights are made on the input's device; with polytape.device(...): layer.build(shape) names another",
    "dilation_rate": "dilation=...",
    "embed_dim": _SHAPE,
    "embedding_dim": "units=...",
    "eps": "epsilon=...",
    "hidden_size": "units=...",
    "in_channels": _SHAPE,
    "in_features": _SHAPE,
    "inplace": "leave it out: a layer returns a new tensor",
    "input_dim": _SHAPE,
    "input_shape": _SHAPE,
    "input_size": _SHAPE,
    "kernel_size": "size=...",
    "name": "modules take no name; a variable's path of attributes names it",
    "normalized_shape": _SHAPE,
    "num_features": _SHAPE,
    "num_groups": "groups=...",
    "num_layers": "one layer each, in polytape.nn.Sequential",
    "out_channels": "filters=...",
    "out_features": "units=...",
    "output_dim": "units=...",
    "p": "rate=...",
    "padding_idx": "mask_zero=True masks index 0",
    "pool_size": "size=...",
    "scale_factor": "size=...",
    "strides": "stride=...",
    "trainable": "layer.trainable = False",
}


def unexpected(cls: type, name: str, accepted: Iterable[str]) -> DTypeError:
    """The error for a keyword argument of a layer that is not among ``accepted``."""
    accepted = list(accepted)
    ours = name.replace("kernel_", "weight_").replace("gamma_", "weight_").replace("beta_", "bias_")
    fix = _FIXES.get(name, f"{ours}=...")
    known = fix.partition("=")[0] in accepted or not fix.endswith("=...")
    return DTypeError(
        f"{cls.__name__}() got an unexpected keyword argument {name!r}.",
        expected=", ".join(accepted) or "no arguments",
        got=f"{name}=...",
        fix=fix if known else "use one of these names, or leave it out",
    )


def check_keywords(cls: type, keywords: Iterable[str]) -> None:
    """Raise the error for a keyword that ``cls`` does not have, before Python asks for the argument that is missing."""
    accepted = _accepted(cls)
    for name in keywords:
        if accepted is not None and name not in accepted:
            raise unexpected(cls, name, accepted)


@functools.cache
def _accepted(cls: type) -> tuple[str, ...] | None:
    """The keywords of ``cls``; None if it takes any."""
    if cls.__init__ is object.__init__:  # type: ignore[misc]  # of this class
        return ()
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]  # of this class
    names = [x.name for x in parameters if x.kind in (x.POSITIONAL_OR_KEYWORD, x.KEYWORD_ONLY)]
    if any(x.kind is x.VAR_KEYWORD for x in parameters):
        options: tuple[str, ...] | None = getattr(cls, "_options_accepted", None)
        return None if options is None else (*names, *options)
    return tuple(names)

"""Neural-network ops, such as activations, losses and convolutions.

They are declared in `polytape.ops.nn`, a module per family; those that draw random numbers are in `noise`.

May import: `errors`, `ops`, `random`, `tensors`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..ops.nn.activations import *
    from ..ops.nn.attention import *
    from ..ops.nn.channel_norms import *
    from ..ops.nn.convolution import *
    from ..ops.nn.convolution_forms import *
    from ..ops.nn.distances import *
    from ..ops.nn.images import *
    from ..ops.nn.losses import *
    from ..ops.nn.norms import *
    from ..ops.nn.pooling import *
    from ..ops.nn.pooling_forms import *
    from ..ops.nn.rectifiers import *
    from ..ops.nn.recurrent import *
    from ..ops.nn.regularization import *
    from ..ops.nn.sampling import *
    from ..ops.nn.smooth import *
    from .noise import dropout as dropout
else:
    from ..ops import families

    _find, _names = families.lazy_namespace("nn", globals())
    _DRAWING = ("dropout",)  # the public names of `noise`, which loads `polytape.random`

    def __getattr__(name: str) -> object:
        if name in _DRAWING:
            from . import noise

            value = globals()[name] = getattr(noise, name)
            return value
        return sorted([*_find(name), *_DRAWING]) if name == "__all__" else _find(name)

    def __dir__() -> list[str]:
        return sorted({*_names(), *_DRAWING})

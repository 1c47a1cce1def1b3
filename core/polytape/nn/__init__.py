"""Neural networks: ops such as activations, losses and convolutions, and modules such as layers and models.

The ops are declared in `polytape.ops.nn`, a module per family; those that draw random numbers are in `noise`. `modules`
has the base class of layers and models, which keeps no list of its variables: `walking` finds them, `building` makes
them, `describing` prints them, `replacing` calls with others. `layers` has the layers, `models` what they make up;
`initializers`, `regularizers` and `constraints` are the arguments of weights.

May import: `checkpoint`, `dispatch`, `dtypes`, `errors`, `foreign_names`, `graph`, `locks`, `ops`, `placement`,
`random`, `registry`, `state`, `tensors`, `tracebacks`, `training`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..ops.nn.activations import *
    from ..ops.nn.attention import *
    from ..ops.nn.channel_norms import *
    from ..ops.nn.classification_losses import *
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
    from ..ops.nn.regression_losses import *
    from ..ops.nn.regularization import *
    from ..ops.nn.sampling import *
    from ..ops.nn.smooth import *
    from . import constraints as constraints, initializers as initializers, regularizers as regularizers
    from .layers.attention import MultiHeadAttention as MultiHeadAttention
    from .layers.convolution import (
        Conv1D as Conv1D,
        Conv1DTranspose as Conv1DTranspose,
        Conv2D as Conv2D,
        Conv2DTranspose as Conv2DTranspose,
        Conv3D as Conv3D,
        Conv3DTranspose as Conv3DTranspose,
    )
    from .layers.dense import Dense as Dense, Embedding as Embedding
    from .layers.masking import Masking as Masking
    from .layers.norms import BatchNorm as BatchNorm, GroupNorm as GroupNorm, LayerNorm as LayerNorm, RMSNorm as RMSNorm
    from .layers.pooling import (
        AvgPool1D as AvgPool1D,
        AvgPool2D as AvgPool2D,
        AvgPool3D as AvgPool3D,
        GlobalAvgPool1D as GlobalAvgPool1D,
        GlobalAvgPool2D as GlobalAvgPool2D,
        GlobalAvgPool3D as GlobalAvgPool3D,
        GlobalMaxPool1D as GlobalMaxPool1D,
        GlobalMaxPool2D as GlobalMaxPool2D,
        GlobalMaxPool3D as GlobalMaxPool3D,
        MaxPool1D as MaxPool1D,
        MaxPool2D as MaxPool2D,
        MaxPool3D as MaxPool3D,
    )
    from .layers.recurrent import GRU as GRU, LSTM as LSTM, SimpleRNN as SimpleRNN
    from .layers.regularization import Dropout as Dropout
    from .layers.separable import (
        DepthwiseConv2D as DepthwiseConv2D,
        SeparableConv1D as SeparableConv1D,
        SeparableConv2D as SeparableConv2D,
    )
    from .layers.shapes import (
        Flatten as Flatten,
        Reshape as Reshape,
        UpSampling1D as UpSampling1D,
        UpSampling2D as UpSampling2D,
        UpSampling3D as UpSampling3D,
        ZeroPadding1D as ZeroPadding1D,
        ZeroPadding2D as ZeroPadding2D,
        ZeroPadding3D as ZeroPadding3D,
    )
    from .layers.weights import Activation as Activation
    from .layers.wrappers import Bidirectional as Bidirectional, TimeDistributed as TimeDistributed
    from .models import Model as Model, Sequential as Sequential
    from .modules import Module as Module
    from .noise import dropout as dropout
else:
    from importlib import import_module

    from ..ops import families

    _find, _names = families.lazy_namespace("nn", globals())
    _MODULES = ("constraints", "initializers", "regularizers")
    # The public names of this room's own modules, by module; each module loads when one of its names is first used.
    _LATE = {
        name: module
        for module, names in {
            "layers.attention": "MultiHeadAttention",
            "layers.convolution": "Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D Conv3DTranspose",
            "layers.dense": "Dense Embedding",
            "layers.masking": "Masking",
            "layers.norms": "BatchNorm GroupNorm LayerNorm RMSNorm",
            "layers.pooling": (
                "AvgPool1D AvgPool2D AvgPool3D GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D "
                "GlobalMaxPool2D GlobalMaxPool3D MaxPool1D MaxPool2D MaxPool3D"
            ),
            "layers.recurrent": "GRU LSTM SimpleRNN",
            "layers.regularization": "Dropout",
            "layers.separable": "DepthwiseConv2D SeparableConv1D SeparableConv2D",
            "layers.shapes": (
                "Flatten Reshape UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D"
            ),
            "layers.weights": "Activation",
            "layers.wrappers": "Bidirectional TimeDistributed",
            "models": "Model Sequential",
            "modules": "Module",
            "noise": "dropout",
        }.items()
        for name in names.split()
    }

    def __getattr__(name: str) -> object:
        if name == "__all__":
            return sorted([*_find(name), *_LATE, *_MODULES])
        if name in _MODULES:
            value = import_module(f"{__name__}.{name}")
        elif name in _LATE:
            value = getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
        else:
            return _find(name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*_names(), *_LATE, *_MODULES})

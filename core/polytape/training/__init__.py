"""Training: `fit`, `evaluate` and `predict` for a model or any function with variables, and the callbacks of `fit`.

`fitting` has `fit`, `loop` its loop, `evaluating` the passes that only read the model. `feeding` makes batches of what
users pass, `losses` and `measures` a loss and metrics, and `steps` computes one batch. `run` is the state of a
training, which a checkpoint saves, `history` its numbers. `callbacks` has the protocol, `monitoring`, `rates` and
`recording` the callbacks, `progress` what is shown. `options` and `keywords` check arguments.

May import: `autodiff`, `checkpoint`, `data`, `dispatch`, `dtypes`, `errors`, `foreign_names`, `graph`, `metrics`,
`ops`, `optim`, `placement`, `random`, `registry`, `state`, `summary`, `tensors`, `tracebacks`.
"""

from __future__ import annotations

from .callbacks import Callback, LambdaCallback, TerminateOnNaN
from .evaluating import evaluate, predict
from .fitting import fit
from .history import History
from .monitoring import EarlyStopping, ModelCheckpoint
from .options import Options
from .rates import LearningRateScheduler, ReduceLROnPlateau
from .recording import CSVLogger, TensorBoard
from .run import Run

__all__ = [
    "CSVLogger",
    "Callback",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "Options",
    "ReduceLROnPlateau",
    "Run",
    "TensorBoard",
    "TerminateOnNaN",
    "evaluate",
    "fit",
    "predict",
]


def __getattr__(name: str) -> object:
    from ..foreign_names import unknown

    raise unknown("training", name)

"""TensorFlow 1.7's ``tensorflow.contrib.eager``: ``from polytape.compat import tfe``."""

from __future__ import annotations

import importlib
from typing import Any, Final

from ..tf1.tables import Table

# The modules by the names that each defines; a module is loaded when one of them is first read.
_NAMES: Final[dict[str, str]] = {
    "mode": "GraphModeError enable_eager_execution executing_eagerly",
    "tfe.functions": (
        "DEVICE_PLACEMENT_EXPLICIT DEVICE_PLACEMENT_SILENT DEVICE_PLACEMENT_WARN GradientTape custom_gradient defun "
        "gradients_function implicit_gradients implicit_value_and_gradients in_eager_mode list_devices num_gpus "
        "py_func run value_and_gradients_function"
    ),
    "tfe.iterators": "Iterator",
    "tfe.networks": "Network Sequential restore_network_checkpoint save_network_checkpoint",
    "tfe.savers": (
        "Checkpoint Checkpointable CheckpointableSaver Saver get_optimizer_variables restore_variables_on_create"
    ),
    "tf1.variables.creation": "Variable",
    "tf1.variables.stores": "EagerVariableStore",
    "tf1.variables.templates": "make_template",
}
_MODULES: Final = {name: module for module, names in _NAMES.items() for name in names.split()}
_MISSING: Final = Table(
    "contrib.eager",
    missing="""
        add_execution_callback, clear_execution_callbacks, inf_callback, inf_nan_callback, nan_callback, seterr: with polytape.debug.check_numerics(): ... finds the op that makes NaN or infinity
        run_test_in_graph_and_eager_modes: there is only eager mode
        Evaluator, SparseAccuracy, CategoricalAccuracy, BinaryAccuracy: tfe.metrics, or polytape.metrics
    """,  # noqa: E501  # a line per fix
    values=dict.fromkeys([*_MODULES, "metrics"]),
)
__all__ = sorted([*_MODULES, "metrics"])


def __getattr__(name: str) -> Any:
    if name == "metrics":
        return importlib.import_module(f"{__name__}.metrics")
    if name not in _MODULES:
        raise _MISSING.unknown(name)
    value = getattr(importlib.import_module(f"polytape.compat.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__

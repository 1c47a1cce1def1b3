"""What TensorFlow's layers have in graphs, and reject in eager mode."""

from __future__ import annotations

from typing import Any

from ...mode import building
from ..variables.collections import GraphKeys, add_to_collection

__all__ = ["GraphOnly"]


class GraphOnly:
    """The members of layers that need a graph; they raise RuntimeError, as in TensorFlow."""

    _losses: list[Any]
    _updates: list[Any]

    def add_loss(self, losses: Any, inputs: Any = None) -> None:
        """Add losses to the layer's, and to ``GraphKeys.REGULARIZATION_LOSSES``.

        Raises:
            RuntimeError: in eager mode, where `call` has to return such losses.
        """
        if not building():
            raise RuntimeError("Layer.add_loss not supported in Eager mode.")
        for loss in losses if isinstance(losses, (list, tuple)) else [losses]:
            self.__dict__.setdefault("_losses", []).append(lambda loss=loss: loss)
            add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)

    def add_update(self, updates: Any, inputs: Any = None) -> None:
        """Add operations to the layer's `updates`, and to ``GraphKeys.UPDATE_OPS``.

        In eager mode nothing: updates are assignments that are done already.
        """
        if building():
            for update in updates if isinstance(updates, (list, tuple)) else [updates]:
                self.__dict__.setdefault("_updates", []).append(update)
                add_to_collection(GraphKeys.UPDATE_OPS, update)

    @property
    def updates(self) -> list[Any]:
        """The operations that update the layer's state in a graph.

        Raises:
            RuntimeError: in eager mode.
        """
        if not building():
            raise RuntimeError("Layer.updates not supported in Eager mode.")
        return list(self.__dict__.get("_updates", []))

    def get_losses_for(self, inputs: Any) -> Any:
        """Raise RuntimeError: eager mode has no graph."""
        raise RuntimeError("Layer.get_losses_for not supported in Eager mode.")

    def get_updates_for(self, inputs: Any) -> Any:
        """Raise RuntimeError: eager mode has no graph."""
        raise RuntimeError("Layer.get_updates_for not supported in Eager mode.")


def _graph_only(name: str) -> property:
    def get(self: Any) -> Any:
        raise RuntimeError(f"Layer.{name} not supported in Eager mode.")

    return property(get, doc="Raises RuntimeError: eager mode has no graph.")


for _name in ("input", "output", "input_shape", "output_shape", "input_mask", "output_mask"):
    setattr(GraphOnly, _name, _graph_only(_name))

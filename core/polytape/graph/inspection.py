"""What a traced function shows of itself: its graph, each stage of it, its cost, and a file of it."""

from __future__ import annotations

import inspect
import os
from typing import Any

from ..tensors.scope import NO_SCOPE
from .concrete import Concrete
from .cost import Cost, cost
from .input_signature import InputSignature
from .ir import Graph
from .signature import Call
from .stages import stages

__all__ = ["Inspected"]


class Inspected:
    """The part of a traced function that shows what a call runs; nothing is computed."""

    name: str
    signature: inspect.Signature
    inputs: InputSignature | None

    def find(self, args: tuple[Any, ...], kwargs: dict[str, Any], scope: Any) -> tuple[Concrete, Any, Any]:
        """The trace for these arguments."""
        raise NotImplementedError

    def graph(self, *args: Any, **kwargs: Any) -> Graph:
        """The graph that a call with these arguments runs, after the passes; nothing is computed."""
        return self.find(args, kwargs, NO_SCOPE)[0].graph

    def trace(self, *args: Any, **kwargs: Any) -> Graph:
        """The graph of a call with these arguments as traced, before any pass."""
        return self.find(args, kwargs, NO_SCOPE)[0].traced

    def stages(self, *args: Any, **kwargs: Any) -> dict[str, Graph]:
        """The graph of a call with these arguments at each stage: ``traced``, then after each pass, by its name."""
        return stages(self.trace(*args, **kwargs))

    def cost(self, *args: Any, **kwargs: Any) -> Cost:
        """Operations and bytes of each equation that a call with these arguments runs; printing it shows a table."""
        return cost(self.graph(*args, **kwargs))

    def export(self, path: str | os.PathLike[str], /, *args: Any, **kwargs: Any) -> None:
        """Write the graph of a call with these arguments to a file, for `polytape.load_graph`; nothing is computed.

        The file is a safetensors file with the graph, the values of its variables and constants, the names and types of
        its arguments, and the structure of its results. Arguments that are no tensors are fixed. A tensor that the
        function moves to another device is the tensor itself in the file, since a loaded graph runs on one device.

        Args:
            path: the file, which is replaced completely or not at all.
            args, kwargs: arguments as for a call; of tensors, only dtype and shape matter.
        Raises:
            TraceError: the function cannot be traced, or its graph, its arguments or its results have a part that has
                no form in a file, such as a learning rate that is a Python function.
            DeviceError: the function uses several devices, and returns the state of a random generator from the host.
            CheckpointError: the file cannot be written.
        """
        from .exchange.writing import write

        concrete = self.find(args, kwargs, NO_SCOPE)[0]
        if self.inputs is not None:
            args, kwargs = self.inputs.converted(args, kwargs)
        write(path, concrete, Call(self.name, self.signature, args, kwargs))

"""`tf.hessians`: second derivatives."""

from __future__ import annotations

from typing import Any

from ..convert import tensor
from ..nesting import flattened
from .gradients import GradientOperation, as_tensor, gradients
from .graphs import get_default_graph
from .recording import named
from .tensors import GraphTensor

__all__ = ["hessians"]


class JacobianOperation(GradientOperation):
    """Computes the derivatives of each element of a target by each element of a source."""

    def differentiate(self, tape: Any, values: dict[Any, Any]) -> list[Any]:
        """The derivatives, from the tape and the values of the run so far."""
        source = self.sources[0]
        given = values[source] if isinstance(source, GraphTensor) else source
        return [tape.jacobian(tensor(values[self.targets[0]]), given, unconnected_gradients="zero")]


def hessians(ys: Any, xs: Any, name: str = "hessians", **options: Any) -> list[Any]:
    """For each of ``xs``, the matrix of second derivatives of the sum of ``ys``: of shape ``x.shape + x.shape``.

    Args:
        ys, xs: as for `tf.gradients`.
        name: the name scope of the gradients.
        options: those of `tf.gradients`.
    Raises:
        ValueError: ``ys`` does not depend on one of ``xs``.
    """
    found, graph = [], get_default_graph()
    for x in flattened(xs):
        gradient = gradients(ys, x, name=name, **options)[0]
        if gradient is None:
            raise ValueError(f"Cannot compute Hessian because {ys} does not depend on {x}.")
        operation = JacobianOperation(graph, named(graph, f"{name}/Hessian"), [gradient], [None], [x])
        shape = as_tensor(x).shape
        operation.outputs = [GraphTensor(operation, 0, gradient.tensor_type, shape.concatenate(shape), ())]
        graph.add(operation)
        found += operation.outputs
    return found

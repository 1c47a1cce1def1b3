"""RMSProp as TensorFlow 1 computes it: epsilon is inside the root, and the velocity contains the learning rate.

The operands are those that `polytape.ops.optim` describes.
"""

from __future__ import annotations

from ..tensors.tensor import Tensor
from .arithmetic import square
from .declaration import op
from .exponential import sqrt
from .scaled_updates import CenteredRMSPropUpdate, RMSPropUpdate
from .update_rules import NOT_DIFFERENTIATED, narrowed, numbers, update_dtypes, update_shapes, widened

__all__: list[str] = []


@op(
    dtype=update_dtypes(3, step=False),
    shape=update_shapes(3, mean_square=None, velocity=None, gradient=None, learning_rate=(), hyperparameters=(3,)),
    outputs=RMSPropUpdate,
    no_gradient=NOT_DIFFERENTIATED,
    internal="polytape.compat.tf1.train.RMSPropOptimizer",
)
def rmsprop_rooted_update(
    x: Tensor, mean_square: Tensor, velocity: Tensor, gradient: Tensor, learning_rate: Tensor, hyperparameters: Tensor
) -> RMSPropUpdate:
    """As `rmsprop_update`, with epsilon inside the root and the learning rate in the velocity.

    Args:
        x: floating[...]: the variable.
        mean_square, velocity: shape and dtype of ``x``.
        gradient: shape and dtype of ``x``.
        learning_rate: dtype of ``x``, shape ().
        hyperparameters: floating[3]: rho, momentum, epsilon. ``mean_square = rho * mean_square + (1 - rho) * g**2``,
            ``velocity = momentum * velocity + learning_rate * g / sqrt(mean_square + epsilon)``, ``x -= velocity``.
    Returns:
        The new ``x``, ``mean_square`` and ``velocity``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        TensorFlow 1.7, ``tf.train.RMSPropOptimizer``.
    """
    wide, mean_square, velocity, g, rate = widened(x, mean_square, velocity, gradient, learning_rate)
    rho, momentum, epsilon, take = numbers(hyperparameters, wide.dtype, 0)
    mean_square = rho * mean_square + take * square(g)
    velocity = momentum * velocity + rate * g / sqrt(mean_square + epsilon)
    return RMSPropUpdate(*narrowed(x.dtype, wide - velocity, mean_square, velocity))


@op(
    dtype=update_dtypes(4, step=False),
    shape=update_shapes(
        4, mean_square=None, mean_gradient=None, velocity=None, gradient=None, learning_rate=(), hyperparameters=(3,)
    ),
    outputs=CenteredRMSPropUpdate,
    no_gradient=NOT_DIFFERENTIATED,
    internal="polytape.compat.tf1.train.RMSPropOptimizer",
)
def centered_rmsprop_rooted_update(
    x: Tensor,
    mean_square: Tensor,
    mean_gradient: Tensor,
    velocity: Tensor,
    gradient: Tensor,
    learning_rate: Tensor,
    hyperparameters: Tensor,
) -> CenteredRMSPropUpdate:
    """As `rmsprop_rooted_update`, divided by the root of the gradient's running variance and epsilon.

    Args:
        x: floating[...]: the variable.
        mean_square, mean_gradient, velocity: shape and dtype of ``x``.
        gradient: shape and dtype of ``x``.
        learning_rate: dtype of ``x``, shape ().
        hyperparameters: floating[3]: rho, momentum, epsilon.
    Returns:
        The new ``x``, ``mean_square``, ``mean_gradient`` and ``velocity``.
    Raises:
        ShapeError, DTypeError: operands of different shapes or dtypes.
    Source:
        TensorFlow 1.7, ``tf.train.RMSPropOptimizer(centered=True)``.
    """
    wide, mean_square, mean_gradient, velocity, g, rate = widened(
        x, mean_square, mean_gradient, velocity, gradient, learning_rate
    )
    rho, momentum, epsilon, take = numbers(hyperparameters, wide.dtype, 0)
    mean_square = rho * mean_square + take * square(g)
    mean_gradient = rho * mean_gradient + take * g
    velocity = momentum * velocity + rate * g / sqrt(mean_square - square(mean_gradient) + epsilon)
    return CenteredRMSPropUpdate(*narrowed(x.dtype, wide - velocity, mean_square, mean_gradient, velocity))

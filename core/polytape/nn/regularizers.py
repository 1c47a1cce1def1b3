"""Regularizers: functions of a weight whose value is added to the loss, see `polytape.nn.Module.losses`."""

from __future__ import annotations

from ..errors import SettingError
from ..ops.arithmetic import abs, square
from ..ops.reduction import sum
from ..tensors.tensor import Tensor
from .describing import construction

__all__ = ["L1", "L1L2", "L2"]


class L1L2:
    """``l1 * sum(|weight|) + l2 * sum(weight ** 2)``.

    Args:
        l1, l2: the factors, 0 or more.

    Raises:
        SettingError: a negative factor.
    Source:
        H. Zou, T. Hastie (2005), Journal of the Royal Statistical Society B 67 (2), pp. 301-320.

    Example:
        >>> import polytape as pt
        >>> layer = pt.nn.Dense(2, weight_regularizer=pt.nn.regularizers.L1L2(0.5, 0.25), weight_initializer=2.0)
        >>> y = layer(pt.ones((1, 3)))
        >>> [float(loss) for loss in layer.losses]
        [12.0]
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        for name, factor in (("l1", l1), ("l2", l2)):
            if not factor >= 0.0:
                raise SettingError(
                    f"{type(self).__name__} cannot use a negative factor.",
                    expected=f"{name} >= 0",
                    got=f"{name}={factor}",
                    fix="pass 0 or more",
                )
        self.l1, self.l2 = l1, l2

    def __call__(self, weight: Tensor) -> Tensor:
        """The loss, of shape (): see the class."""
        if not self.l2:
            return sum(abs(weight)) * self.l1
        squares = sum(square(weight)) * self.l2
        return squares + sum(abs(weight)) * self.l1 if self.l1 else squares

    def __repr__(self) -> str:
        return construction(self)


class L1(L1L2):
    """``l1 * sum(|weight|)``.

    Args:
        l1: the factor, 0 or more.

    Raises:
        SettingError: a negative factor.
    Source:
        R. Tibshirani (1996), Journal of the Royal Statistical Society B 58 (1), pp. 267-288.
    """

    def __init__(self, l1: float = 0.01) -> None:
        super().__init__(l1=l1)


class L2(L1L2):
    """``l2 * sum(weight ** 2)``.

    Args:
        l2: the factor, 0 or more.

    Raises:
        SettingError: a negative factor.
    Source:
        A. Hoerl, R. Kennard (1970), Technometrics 12 (1), pp. 55-67.
    """

    def __init__(self, l2: float = 0.01) -> None:
        super().__init__(l2=l2)

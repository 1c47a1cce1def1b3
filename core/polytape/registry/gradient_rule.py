"""Gradient rules, and the plans that select rules for one set of watched operands: plain data that an `Op` holds.

`Op.gradient` creates the rules; `polytape.autodiff.gradient_plan` creates the plans.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["GradientPlan", "GradientRule"]

# What a parameter of a rule receives. A small non-negative number is the position of an operand; the other codes are:
G: Final = -1  # the gradient of the output
Y: Final = -2  # the output
INDEX: Final = -3  # the index in the sequence of the operand that is being differentiated
SHAPES: Final = -4  # the shapes of all operands of the sequence
SEQUENCE: Final = -5  # all operands of the sequence, as a tuple
SHAPE_OF: Final = 1 << 20  # SHAPE_OF + the position of an operand: its shape
ATTRIBUTE: Final = 1 << 21  # ATTRIBUTE + the position among the op's attributes: its value

RESERVED: Final = ("g", "y", "index", "shapes", "spec", "out")


class GradientRule:
    """A function from the gradient of an op's output to that of one operand (or of several, as a tuple).

    Attributes:
        fn: ``(g, ...) -> Tensor``. Its parameter names determine ``needs`` and ``keywords``.
        operands: positions of the operands it serves; if there are several, ``fn`` returns a tuple.
        needs: one of the codes above per positional parameter. Empty for a rule ``(g, node)``, which takes the record
            itself; that keeps all operands.
        keywords: the op's attributes that ``fn`` takes by keyword.
        rows: of a traced function, what gives the gradients of variables from which it only takes rows as these rows:
            a `polytape.autodiff.sparse_gradients.RowsRule`. Otherwise None.
    """

    __slots__ = ("fn", "keywords", "needs", "operands", "rows")

    def __init__(self, fn: Any, operands: tuple[int, ...], needs: tuple[int, ...], keywords: tuple[str, ...]) -> None:
        self.fn: Any = fn
        self.operands: Final = operands
        self.needs: Final = needs
        self.keywords: Final = keywords
        self.rows: Any = None

    def gradients(self, results: Any) -> list[Any]:
        """What ``fn`` has returned for several operands.

        Raises:
            ValueError: another number of gradients.
        """
        gradients: list[Any] = list(results)
        if len(gradients) != len(self.operands):
            raise ValueError(f"a gradient rule returned {len(gradients)} gradients for {len(self.operands)} operands")
        return gradients


class GradientPlan:
    """What a record of an op keeps, and which rules the backward pass calls, for one set of watched operands.

    Attributes:
        keep: per operand, whether its native array is kept.
        keep_shape: per operand, whether its shape is kept.
        keep_y: whether the output's array is kept.
        rules: the rules to call.
        positions: for each of these rules, the position of the operand it is called for.
        contractions: for each of these rules, the shortcut for an operand of shape (), or None; see `Op.contraction`.
        useful: whether any gradient flows back.
        body: whether the op has no rules, so that the backward pass differentiates its body instead.
    """

    __slots__ = (
        "body", "contractions", "keep", "keep_shape", "keep_y", "positions", "rules", "useful",
    )  # fmt: skip

    def __init__(
        self,
        keep: tuple[bool, ...],
        keep_shape: tuple[bool, ...],
        keep_y: bool,
        rules: list[GradientRule],
        positions: list[int],
        contractions: tuple[GradientRule | None, ...],
        body: bool,
    ) -> None:
        self.keep: tuple[bool, ...] = keep
        self.keep_shape: tuple[bool, ...] = keep_shape
        self.keep_y: bool = keep_y
        self.rules: list[GradientRule] = rules
        self.positions: list[int] = positions
        self.contractions: tuple[GradientRule | None, ...] = contractions
        self.body: bool = body
        self.useful: bool = body or bool(rules)

"""A gradient rule, and a plan made of rules for one set of watched operands: data, which `Op` holds.

`Op.gradient` makes the rules; `polytape.autodiff.gradient_plan` makes the plans.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["GradientPlan", "GradientRule"]

# What a rule's parameter asks for: an operand by its position, that operand's shape (SHAPE_OF + position), an
# attribute, or:
G: Final = -1  # the gradient of the output
Y: Final = -2  # the output
INDEX: Final = -3  # which operand of the sequence is being differentiated
SHAPES: Final = -4  # the shapes of all operands of the sequence
SEQUENCE: Final = -5  # all operands of the sequence, as a tuple
SHAPE_OF: Final = 1 << 20
ATTRIBUTE: Final = 1 << 21  # ATTRIBUTE + its position among the op's attributes

RESERVED: Final = ("g", "y", "index", "shapes", "spec", "out")


class GradientRule:
    """How the gradient of an op's output becomes that of one operand (or of several, as a tuple).

    Attributes:
        fn: ``(g, ...) -> Tensor``; its parameter names said what it needs.
        operands: positions of the operands it serves; more than one: it returns a tuple.
        needs: per positional parameter, one of the codes above.
        keywords: the op's attributes it takes by keyword.
    """

    __slots__ = ("fn", "keywords", "needs", "operands")

    def __init__(self, fn: Any, operands: tuple[int, ...], needs: tuple[int, ...], keywords: tuple[str, ...]) -> None:
        self.fn: Any = fn
        self.operands: Final = operands
        self.needs: Final = needs
        self.keywords: Final = keywords


class GradientPlan:
    """What a record of an op keeps, and which rules the backward pass calls, for one set of watched operands.

    Attributes:
        keep: per operand, whether its native array is kept.
        keep_shape: per operand, whether its shape is kept.
        keep_y: whether the output's array is kept.
        rules: the rules to call, each with the operand's position it is called for.
        contractions: per rule to call, the op's shortcut to a number's gradient, if it has one.
        useful: whether anything flows back at all.
        body: whether the op has no rules: the walk differentiates its body instead.
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

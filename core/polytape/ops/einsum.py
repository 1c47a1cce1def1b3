"""Einstein summation, as a sequence of products of two tensors."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import ShapeError
from ..tensors.tensor import Tensor, TensorLike
from . import shape_rules
from .arithmetic import multiply
from .contractions import diagonal
from .manipulation import broadcast_to, permute_dims, reshape
from .products import matmul
from .rearranging import together
from .reduction import sum

__all__ = ["einsum"]

Term = tuple[str, Tensor]  # the labels of a tensor's axes, each a letter, and the tensor

_HIDDEN = "".join(chr(0x3B1 + k) for k in range(24))  # Greek letters label the axes that ... stands for


def einsum(subscripts: str, /, *operands: TensorLike) -> Tensor:
    """The sum of products that a formula states, such as ``"ij,jk->ik"`` for a matrix product.

    Each letter labels an axis; labels that the result does not have are summed over. Two operands at a time are
    multiplied, in the order that keeps intermediate results small (greedily), by matrix products where possible.

    Args:
        subscripts: the labels of each operand, separated by commas, and after ``->`` those of the result. Without
            ``->``, the result has the labels that occur once, in alphabetical order. ``...`` stands for further axes,
            which broadcast.
        operands: numeric[...], promoted together.
    Returns:
        The sizes of the labels of the result, the promoted dtype.
    Raises:
        ShapeError: subscripts that are not well formed, or sizes that do not agree.
    Source:
        NumPy, ``einsum``; D. Smith, J. Gray (2018), opt_einsum, Journal of Open Source Software 3 (26), 753, for the
        greedy order.

    Example:
        >>> import polytape as pt
        >>> x = pt.asarray([[1.0, 2.0], [3.0, 4.0]])
        >>> float(pt.einsum("ii", x))
        5.0
    """
    tensors = together(*operands)
    inputs, output = _parsed(subscripts, tensors)
    sizes = _sizes(subscripts, inputs, tensors)
    terms = [
        _alone(labels, x, output, inputs[:k] + inputs[k + 1 :])
        for k, (labels, x) in enumerate(zip(inputs, tensors, strict=True))
    ]
    while len(terms) > 1:
        left, right = _cheapest(terms, output, sizes)
        first, second = terms.pop(right), terms.pop(left)
        terms.append(_pair(second, first, output, [labels for labels, _ in terms]))
    labels, x = terms[0]
    x = sum(x, axis=tuple(k for k, label in enumerate(labels) if label not in output), dtype=x.dtype)
    labels = "".join(label for label in labels if label in output)
    return permute_dims(x, tuple(labels.index(label) for label in output)) if labels != output else x


def _bad(subscripts: str, got: str, expected: str = "labels such as 'ij,jk->ik'") -> ShapeError:
    return ShapeError(
        f"einsum cannot use the subscripts {subscripts!r}.",
        expected=expected,
        got=got,
        fix="name each axis of each operand by one letter",
    )


def _parsed(subscripts: str, tensors: Sequence[Tensor]) -> tuple[list[str], str]:
    """The labels of each operand and of the result, with ``...`` replaced by hidden labels."""
    if not isinstance(subscripts, str) or not re.fullmatch(r"[A-Za-z.,\s]*(->[A-Za-z.\s]*)?", subscripts):
        raise _bad(subscripts, repr(subscripts), "letters, commas, ... and one ->")
    text, arrow, output = subscripts.replace(" ", "").partition("->")
    parts = text.split(",")
    if len(parts) != len(tensors):
        raise _bad(subscripts, f"{len(parts)} terms for {len(tensors)} operands", "one term per operand")
    rank = 0  # of the axes that ... stands for
    inputs = []
    for part, x in zip(parts, tensors, strict=True):
        named = part.replace("...", "", 1)
        hidden = x.ndim - len(named)
        if "." in named or hidden < 0 or (hidden and "..." not in part):
            raise _bad(subscripts, f"{part!r} for an operand with {x.ndim} axes", "a label per axis, or ...")
        rank = max(rank, hidden if "..." in part else 0)
        inputs.append((part, hidden))
    labelled = [part.replace("...", _HIDDEN[:rank][rank - hidden :]) for part, hidden in inputs]
    if arrow:
        output = output.replace("...", _HIDDEN[:rank], 1)
        extra = [label for label in output if output.count(label) > 1 or not any(label in part for part in labelled)]
        if "." in output or extra:
            raise _bad(subscripts, f"result {output!r}", "a result whose labels occur in an operand, each once")
    else:
        letters = "".join(labelled)
        output = _HIDDEN[:rank] + "".join(
            sorted(label for label in set(letters) if letters.count(label) == 1 and label not in _HIDDEN)
        )
    return labelled, output


def _sizes(subscripts: str, inputs: list[str], tensors: list[Tensor]) -> dict[str, int]:
    """The size of each label; operands are broadcast along hidden labels of size 1."""
    sizes: dict[str, int] = {}
    for labels, x in zip(inputs, tensors, strict=True):
        for label, size in zip(labels, x.shape, strict=True):
            known = sizes.get(label, size)
            if known != size and not (label in _HIDDEN and 1 in (known, size)):
                raise _bad(subscripts, f"sizes {known} and {size} for {label!r}", "one size per label")
            sizes[label] = max(known, size) if label in _HIDDEN and 0 not in (known, size) else min(known, size)
    for k, (labels, x) in enumerate(zip(inputs, tensors, strict=True)):
        shape = tuple(sizes[label] for label in labels)
        if shape != x.shape:
            tensors[k] = broadcast_to(x, shape)
    return sizes


def _alone(labels: str, x: Tensor, output: str, others: list[str]) -> Term:
    """A term without repeated labels, and without labels that only it has."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            rest = [axis for axis in range(x.ndim) if axis not in (first, second)]
            x = diagonal(permute_dims(x, (*rest, first, second)))
            labels = "".join(labels[axis] for axis in rest) + label
    own = [k for k, label in enumerate(labels) if label not in output and not any(label in other for other in others)]
    if own and others:
        x = sum(x, axis=tuple(own), dtype=x.dtype)
        labels = "".join(label for k, label in enumerate(labels) if k not in own)
    return labels, x


def _cheapest(terms: list[Term], output: str, sizes: dict[str, int]) -> tuple[int, int]:
    """The two terms whose product adds the fewest elements."""
    best: tuple[int, int, int] | None = None
    for left in range(len(terms)):
        for right in range(left + 1, len(terms)):
            others = "".join(terms[k][0] for k in range(len(terms)) if k not in (left, right)) + output
            kept = [label for label in set(terms[left][0] + terms[right][0]) if label in others]
            grown = (
                shape_rules.count(tuple(sizes[label] for label in kept)) - terms[left][1].size - terms[right][1].size
            )
            best = min(best or (grown, left, right), (grown, left, right))
    assert best is not None
    return best[1], best[2]


def _pair(first: Term, second: Term, output: str, others: list[str]) -> Term:
    """The product of two terms, summed over the labels that nothing else needs."""
    needed = output + "".join(others)
    (labels1, x1), (labels2, x2) = first, second
    shared = [label for label in labels1 if label in labels2]
    batch = [label for label in shared if label in needed]
    summed = [label for label in shared if label not in needed]
    free1 = [label for label in labels1 if label not in shared]
    free2 = [label for label in labels2 if label not in shared]
    left = _ordered(labels1, x1, [batch, free1, summed])
    right = _ordered(labels2, x2, [batch, summed, free2])
    sizes = {**dict(zip(labels1, x1.shape, strict=True)), **dict(zip(labels2, x2.shape, strict=True))}
    labels = [*batch, *free1, *free2]
    y = matmul(left, right) if summed else multiply(left, right)  # otherwise a product of columns and rows
    return "".join(labels), reshape(y, tuple(sizes[label] for label in labels))


def _ordered(labels: str, x: Tensor, groups: list[list[str]]) -> Tensor:
    """The tensor with the axes of each group joined to one, in the order of the groups."""
    order = tuple(labels.index(label) for group in groups for label in group)
    x = x if order == tuple(range(x.ndim)) else permute_dims(x, order)
    sizes = dict(zip((labels[k] for k in order), x.shape, strict=True))
    return reshape(x, tuple(shape_rules.count(tuple(sizes[label] for label in group)) for group in groups))

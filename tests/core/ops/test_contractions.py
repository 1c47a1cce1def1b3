"""Products that contract axes, against NumPy, with gradients."""

from __future__ import annotations

import string
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.errors import ShapeError

RNG = np.random.default_rng(0)


def random(*shape: int) -> Any:
    return RNG.uniform(-1.0, 1.0, shape)


CALLS = [
    ("tensordot", [random(2, 3, 4), random(3, 4, 5)], {}),
    ("tensordot", [random(2, 3), random(4)], {"axes": 0}),
    ("tensordot", [random(2, 3, 4), random(4, 2, 5)], {"axes": ([0, 2], [1, 0])}),
    ("tensordot", [random(2, 3, 4), random(5, 4)], {"axes": ([-1], [-1])}),
    ("tensordot", [random(3, 2), random(3, 2)], {"axes": ((0, 1), (0, 1))}),
    ("inner", [random(2, 3), random(4, 3)], {}),
    ("inner", [random(2, 3), random()], {}),
    ("dot", [random(2, 3, 4), random(5, 4, 2)], {}),
    ("dot", [random(2, 3), random(3)], {}),
    ("dot", [random(2, 3, 4), random(4)], {}),
    ("outer", [random(3), random(4)], {}),
    ("kron", [random(2, 3), random(2, 2)], {}),
    ("kron", [random(3), random(2, 2, 2)], {}),
    ("cross", [random(2, 3), random(3)], {}),
    ("cross", [random(3, 1), random(3, 4)], {"axis": 0}),
    ("diagonal", [random(3, 4)], {}),
    ("diagonal", [random(2, 4, 3)], {"offset": -2}),
    ("diagonal", [random(2, 3)], {"offset": 5}),
    ("trace", [random(2, 3, 3)], {"offset": 1}),
    ("vecdot", [random(2, 3), random(3)], {}),
    ("vecdot", [random(2, 3, 2), random(3, 2)], {"axis": -2}),
    ("vecdot", [random(3), random(3)], {}),
    ("multi_dot", [[random(2, 3), random(3, 5), random(5, 4)]], {}),
    ("multi_dot", [[random(3), random(3, 5), random(5, 1), random(1)]], {}),
]  # fmt: skip


def reference(name: str, operands: Any, attributes: Any) -> Any:
    if name == "diagonal":
        return np.diagonal(*operands, axis1=-2, axis2=-1, **attributes)
    if name == "trace":
        return np.trace(*operands, axis1=-2, axis2=-1, **attributes)
    if name == "vecdot":
        return np.sum(np.multiply(*operands), axis=attributes.get("axis", -1))
    if name == "multi_dot":
        return np.linalg.multi_dot(operands[0])
    return getattr(np, name)(*operands, **attributes)


@pytest.mark.parametrize(("name", "operands", "attributes"), CALLS, ids=[f"{k}-{c[0]}" for k, c in enumerate(CALLS)])
def test_values_and_gradients(name: str, operands: Any, attributes: Any, backend: str) -> None:
    function = getattr(pt, name)
    with pt.device(backend):
        arguments = [[pt.asarray(x) for x in part] if isinstance(part, list) else pt.asarray(part) for part in operands]
        got = function(*arguments, **attributes)
        np.testing.assert_allclose(got.numpy(), reference(name, operands, attributes), rtol=1e-12, atol=1e-14)
        if name == "multi_dot":
            pt.check_gradients(lambda *xs: function(list(xs)), arguments[0], order=2)
        else:
            pt.check_gradients(lambda *xs: function(*xs, **attributes), arguments, order=2)


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda: pt.tensordot(pt.ones((2, 3)), pt.ones((2, 3)), axes=1), "of the same sizes"),
        (lambda: pt.tensordot(pt.ones((2, 3)), pt.ones((3,)), axes=2), "from 0 to 1 axes"),
        (lambda: pt.tensordot(pt.ones((2, 3)), pt.ones((3,)), axes=([2], [0])), "there is no axis 2"),
        (lambda: pt.vecdot(pt.ones((3,)), pt.ones((1,))), "the sizes along the axis differ"),
        (lambda: pt.vecdot(pt.ones((2, 3)), pt.ones((3,)), axis=-2), "there is no axis -2"),
        (lambda: pt.outer(pt.ones((2, 3)), pt.ones((3,))), "two vectors"),
        (lambda: pt.cross(pt.ones((2,)), pt.ones((2,))), "three elements"),
        (lambda: pt.diagonal(pt.ones((2,))), "takes matrices"),
        (lambda: pt.multi_dot([]), "nothing to multiply"),
        (lambda: pt.multi_dot([pt.ones((2, 3)), pt.ones((2, 3))]), "inner sizes differ"),
    ],
)
def test_shapes_that_do_not_fit_are_rejected(call: Any, part: str) -> None:
    with pytest.raises(ShapeError, match=part):
        call()


def test_vecdot_and_einsum_of_complex_numbers() -> None:
    z = RNG.uniform(-1, 1, (4, 3)) + 1j * RNG.uniform(-1, 1, (4, 3))
    np.testing.assert_allclose(pt.vecdot(z, z).numpy(), (z.conj() * z).sum(-1))
    np.testing.assert_allclose(pt.einsum("ij,ij->i", z, z).numpy(), (z * z).sum(-1))


def test_small_integers_keep_their_dtype() -> None:
    x = pt.asarray([[1, 2], [3, 4]], dtype="int8")
    assert pt.vecdot(x, x).dtype == pt.einsum("ij,ij->i", x, x).dtype == pt.int8
    assert pt.trace(x).dtype == pt.int32


@st.composite
def formulas(draw: st.DrawFn) -> tuple[str, list[tuple[int, ...]]]:
    """Subscripts and shapes of one to four operands."""
    sizes = {label: draw(st.integers(0, 3)) for label in "abcd"}
    terms = draw(st.lists(st.lists(st.sampled_from("abcd"), max_size=3), min_size=1, max_size=4))
    shared = draw(hnp.array_shapes(min_dims=0, max_dims=2, max_side=3)) if draw(st.booleans()) else None
    parts, shapes = [], []
    for term in terms:
        place = draw(st.integers(0, len(term))) if shared is not None and draw(st.booleans()) else None
        shape = [sizes[label] for label in term]
        labels = list(term)
        if place is not None and shared is not None:
            hidden = shared[draw(st.integers(0, len(shared))) :]
            shape[place:place] = [n if draw(st.booleans()) else 1 for n in hidden]
            labels[place:place] = ["..."]
        parts.append("".join(labels))
        shapes.append(tuple(shape))
    text = ",".join(parts)
    if draw(st.booleans()):
        used = sorted({label for term in terms for label in term})
        result = draw(st.permutations(used))[: draw(st.integers(0, len(used)))]
        dots = "..." if "..." in text else ""
        text += "->" + dots + "".join(result)
    return text, shapes


@settings(max_examples=300, deadline=None)
@given(formulas())
def test_any_formula_is_numpy_s(formula: tuple[str, list[tuple[int, ...]]]) -> None:
    text, shapes = formula
    hosts = [np.asarray(np.random.default_rng(k).integers(-3, 4, shape), "float64") for k, shape in enumerate(shapes)]
    expected = np.einsum(text, *hosts)
    got = pt.einsum(text, *[pt.asarray(host) for host in hosts])
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-12)
    assert got.shape == np.shape(expected)


@pytest.mark.parametrize(
    "text", ["ij,jk->ik", "ij,jk,kl->li", "...ij,jk->...k", "ii->i", "ij->ji", "i,j->ij", "bij,bjk->b"]
)
def test_gradients_of_einsum(text: str) -> None:
    sizes = dict(zip(string.ascii_lowercase, [2, 3] * 13, strict=True))
    parts = text.split("->")[0].split(",")
    shapes = [tuple(2 if c == "." else sizes[c] for c in part.replace("...", ".")) for part in parts]
    pt.check_gradients(lambda *xs: pt.einsum(text, *xs), [pt.asarray(random(*shape)) for shape in shapes], order=2)


@pytest.mark.parametrize(
    ("text", "shapes", "part"),
    [
        ("ij", [(2,)], "a label per axis"),
        ("ij,jk", [(2, 3)], "one term per operand"),
        ("i,i", [(2,), (3,)], "sizes 2 and 3"),
        ("ij->k", [(2, 3)], "occur in an operand"),
        ("ij->ii", [(2, 3)], "each once"),
        ("i1", [(2, 3)], "letters, commas"),
        ("i..j", [(2, 3)], "a label per axis"),
    ],
)
def test_formulas_that_are_not_well_formed_are_rejected(text: str, shapes: Any, part: str) -> None:
    with pytest.raises(ShapeError, match=part):
        pt.einsum(text, *[pt.ones(shape) for shape in shapes])

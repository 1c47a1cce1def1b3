"""Item assignments that would have no effect are errors; one that costs a gradient causes a warning."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import polytape as pt
from polytape.errors import DTypeError, PolytapeWarning
from polytape.tensors.temporaries import rows_in_loops


class Holder:
    """Returns a stored tensor, or a new one, from a property."""

    def __init__(self, x: pt.Tensor) -> None:
        self.x = x

    @property
    def same(self) -> pt.Tensor:
        """The stored tensor."""
        return self.x

    @property
    def row(self) -> pt.Tensor:
        """A new tensor at each access."""
        return self.x[0]


def chained(z: pt.Tensor) -> None:
    z[0][1] = 5.0


def through_a_slice(z: pt.Tensor) -> None:
    z[:, 1][pt.asarray([0])] = 5.0


def added_to_an_element(z: pt.Tensor) -> None:
    z[0][1] += 5.0


def transposed(z: pt.Tensor) -> None:
    z.T[1, 0] = 5.0


def reshaped(z: pt.Tensor) -> None:
    pt.reshape(z, (6,))[1] = 5.0


def of_a_sum(z: pt.Tensor) -> None:
    (z + 1.0)[0, 1] = 5.0


def of_a_property(z: pt.Tensor) -> None:
    Holder(z).row[1] = 5.0


@pytest.mark.parametrize(
    "write", [chained, through_a_slice, added_to_an_element, transposed, reshaped, of_a_sum, of_a_property]
)
def test_an_assignment_to_a_temporary_tensor_is_refused(write: Callable[[pt.Tensor], None], backend: str) -> None:
    z = pt.zeros((2, 3), device=backend)
    with pytest.raises(
        DTypeError, match=r"has no effect(.|\n)*write z\[0, 1\] = value for z\[0\]\[1\] = value"
    ) as caught:
        write(z)
    assert "5.0" in caught.value.got  # the user's line
    assert z.tolist() == [[0.0] * 3] * 2


def test_the_statement_with_one_pair_of_brackets_works(backend: str) -> None:
    z = pt.zeros((2, 3), device=backend)
    z[0, 1] = 5.0
    z[1] += 1.0
    z[0, 1] *= 2.0
    assert z.tolist() == [[0.0, 10.0, 0.0], [1.0, 1.0, 1.0]]


def test_a_tensor_that_something_refers_to_can_be_assigned_to() -> None:
    by_key, by_index, by_attribute = {"x": pt.zeros(2)}, [pt.zeros(2)], Holder(pt.zeros(2))
    by_key["x"][0] = 1.0
    by_index[0][0] = 2.0
    by_attribute.x[0] = 3.0
    by_attribute.same[1] = 4.0
    row = pt.zeros((2, 2))[0]
    row[0] = 5.0
    (named := pt.zeros(2))[0] = 6.0
    found = [by_key["x"], by_index[0], by_attribute.x, row, named]
    assert [x.tolist() for x in found] == [[1.0, 0.0], [2.0, 0.0], [3.0, 4.0], [5.0, 0.0], [6.0, 0.0]]


def test_local_variables_of_every_kind_count_as_names() -> None:
    cell = pt.zeros(2)

    def inner(argument: pt.Tensor) -> None:
        cell[0] = 1.0
        argument[1] = 2.0

    inner(cell)
    assert cell.tolist() == [1.0, 2.0]
    scope: dict[str, Any] = {"pt": pt}
    exec("x = pt.zeros(2)\nx[0] = 1.0", scope)
    assert scope["x"].tolist() == [1.0, 0.0]


def in_a_loop(z: pt.Tensor) -> None:
    for row in z:
        row[1] = 5.0


def enumerated(z: pt.Tensor) -> None:
    for _, row in enumerate(z):
        row[1] = 5.0


def zipped(z: pt.Tensor) -> None:
    for row, _ in zip(z, range(2), strict=True):
        row[1] = 5.0


def in_a_comprehension(z: pt.Tensor) -> None:
    [row.__setitem__(1, 5.0) for row in z]  # type: ignore[func-returns-value]  # that is the mistake


def in_a_generator(z: pt.Tensor) -> None:
    for row in (row for row in z):
        row[1] = 5.0


@pytest.mark.parametrize("write", [in_a_loop, enumerated, zipped, in_a_comprehension, in_a_generator])
def test_an_assignment_to_the_row_of_a_loop_is_refused(write: Callable[[pt.Tensor], None]) -> None:
    z = pt.zeros((2, 3))
    with pytest.raises(DTypeError, match=r"a row is a copy(.|\n)*for i in range\(len\(z\)\)") as caught:
        write(z)
    assert "5.0" in caught.value.got
    assert z.tolist() == [[0.0] * 3] * 2
    del caught  # its traceback has the loop's iterator
    gc.collect()
    assert not rows_in_loops


def test_a_copy_of_a_row_can_be_changed() -> None:
    changed = []
    for row in pt.zeros((2, 2)):
        copied = pt.identity(row)
        copied[0] = 1.0
        changed.append(copied.tolist())
        row = row + 0.0  # the name now has another tensor
        row[1] = 2.0
        changed.append(row.tolist())
    assert changed == [[1.0, 0.0], [0.0, 2.0]] * 2
    kept = list(pt.zeros((2, 2)))
    kept[0][0] = 1.0
    assert kept[0].tolist() == [1.0, 0.0]


def test_a_loop_that_ends_early_leaves_nothing_behind() -> None:
    for row in pt.zeros((3, 2)):
        if row.shape:
            break
    del row
    with pytest.raises(ZeroDivisionError):
        for _ in pt.zeros((3, 2)):
            raise ZeroDivisionError
    assert not rows_in_loops


def test_assignments_in_a_traced_function_are_checked_too() -> None:
    for write in (chained, in_a_loop):
        with pytest.raises(DTypeError, match=r"has no effect|a row is a copy"):
            pt.function(write)(pt.zeros((2, 3)))


# --- watched tensors ---


def test_an_assignment_to_a_watched_tensor_warns_at_its_line() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        with pytest.warns(PolytapeWarning, match=r"float32\[2\], which a tape watches") as caught:
            x[0] = 5.0
        y = pt.sum(x * x)
    assert caught[0].filename == __file__
    assert tape.gradient(y, x).tolist() == [10.0, 4.0]  # with respect to the new value, which `x` now is


def test_other_assignments_under_a_tape_do_not_warn() -> None:
    x = pt.asarray([1.0, 2.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pt.GradientTape() as tape:
            tape.watch(x)
            copied, product = pt.identity(x), x * 3.0
            copied[0] = 5.0
            product[1] = 0.0
            y = pt.sum(copied * copied) + pt.sum(product)
        assert tape.gradient(y, x).tolist() == [3.0, 4.0]
        x[0] = 7.0  # the tape is closed
    assert x.tolist() == [7.0, 2.0]

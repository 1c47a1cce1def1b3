"""Small variables that are updated together get, bit for bit, the values of an update of each alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import polytape as pt
from polytape.optim import joining
from polytape.optim.joining import Joined

MAKERS: dict[str, Callable[[], Any]] = {
    "SGD": lambda: pt.optim.SGD(0.05),
    "momentum": lambda: pt.optim.SGD(0.05, momentum=0.9, weight_decay=0.1),
    "nesterov": lambda: pt.optim.SGD(0.05, momentum=0.9, nesterov=True),
    "Adam": lambda: pt.optim.Adam(0.05),
    "AdamW": lambda: pt.optim.AdamW(0.05, weight_decay=0.25),
    "amsgrad": lambda: pt.optim.Adam(0.05, amsgrad=True),
    "Adamax": lambda: pt.optim.Adamax(0.05),
    "Nadam": lambda: pt.optim.Nadam(0.05),
    "Adagrad": lambda: pt.optim.Adagrad(0.05, initial_accumulator=0.5),
    "RMSProp": lambda: pt.optim.RMSProp(0.05, momentum=0.5),
    "centered": lambda: pt.optim.RMSProp(0.05, centered=True),
    "Adadelta": lambda: pt.optim.Adadelta(),
    "Ftrl": lambda: pt.optim.Ftrl(0.05, l1=0.25, l2=0.125),
    "ProximalGradientDescent": lambda: pt.optim.ProximalGradientDescent(0.05, l1=0.25, l2=0.125),
    "ProximalAdagrad": lambda: pt.optim.ProximalAdagrad(0.05, l1=0.25, l2=0.125),
    "Lion": lambda: pt.optim.Lion(0.05, weight_decay=0.25),
}
# Shapes and dtypes of one step's variables; 6,000 elements are not joined.
VARIABLES = [
    ((), "f4"), ((3,), "f4"), ((0, 2), "f4"), ((2, 1, 3), "f4"), ((37,), "f4"), ((6000,), "f4"),
    ((5,), "f8"), ((2, 9), "f8"), ((4,), "f2"), ((3, 3), "f2"), ((1,), "f2"),
]  # fmt: skip


def values(number: int, shapes: Any = VARIABLES) -> list[Any]:
    generator = np.random.default_rng(number)
    return [generator.standard_normal(shape).astype(dtype) for shape, dtype in shapes]


def after_steps(make: Callable[[], Any], device: str, traced: bool, joined: bool) -> list[bytes]:
    """The bytes of all variables and slots after five steps; in the third, one gradient has only some rows."""
    with pytest.MonkeyPatch.context() as patch:
        if not joined:
            patch.setattr(joining, "_SMALL_NBYTES", -1)
        variables = [pt.Variable(x, device=device) for x in values(0)]
        ours = make()

        def step(*gradients: Any) -> None:
            ours.apply_gradients(zip(gradients, variables, strict=True))

        run = pt.function(step) if traced else step
        for t in range(1, 6):
            gradients: list[Any] = [pt.asarray(x, device=device) for x in values(t)]
            if t == 3 and not traced:
                gradients[3] = pt.IndexedSlices(gradients[3][:1], pt.asarray([1], device=device), (2, 1, 3))
            run(*gradients)
        return [x.numpy().tobytes() for x in (*variables, *ours.variables)]


@pytest.mark.parametrize("device", ["numpy", "numba"])
@pytest.mark.parametrize("name", sorted(MAKERS))
def test_joined_variables_change_as_alone(name: str, device: str) -> None:
    if device == "numba":
        pytest.importorskip("numba")
    assert after_steps(MAKERS[name], device, False, True) == after_steps(MAKERS[name], device, False, False)


@pytest.mark.parametrize("name", ["Adam", "Ftrl", "Nadam", "SGD"])
def test_joined_variables_change_in_a_traced_step_as_alone(name: str) -> None:
    assert after_steps(MAKERS[name], "numpy", True, True) == after_steps(MAKERS[name], "numpy", True, False)


def test_every_update_of_the_elementwise_families_is_among_these() -> None:
    from polytape.registry import tables

    tables.get_op("lion_update"), tables.get_op("adam_update")
    declared = {name for name, op in tables.declared().items() if op.module in joining._ELEMENTWISE}
    assert declared == {make()._op().name for make in MAKERS.values()} | {"flat_part", "set_rows"}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(["step", "assign", "slot", "snapshot"]), min_size=1, max_size=8), st.data())
def test_what_is_assigned_between_steps_counts(actions: list[str], data: Any) -> None:
    shapes = [((3,), "f4"), ((2, 2), "f4"), ((), "f4")]
    ends = []
    chosen = [data.draw(st.integers(0, 2)) for _ in actions]
    for small in (1 << 14, -1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(joining, "_SMALL_NBYTES", small)
            variables, ours = [pt.Variable(x) for x in values(0, shapes)], pt.optim.Adam(0.1)
            snapshots = []
            for t, (action, which) in enumerate(zip(actions, chosen, strict=True)):
                variable = variables[which]
                slot = ours.get_slot(variable, "m")
                if action == "step":
                    ours.apply_gradients(zip(map(pt.asarray, values(t, shapes)), variables, strict=True))
                elif action == "assign":
                    variable.assign_add(1.0)
                elif action == "slot" and slot is not None:
                    slot.assign(slot * 0.5)
                snapshots.append((variable.read_value(), variable.numpy().tobytes()))
            assert [x.numpy().tobytes() for x, _ in snapshots] == [old for _, old in snapshots]
            ends.append([x.numpy().tobytes() for x in (*variables, *ours.variables)])
    assert ends[0] == ends[1]


def test_slots_of_different_values_are_not_joined() -> None:
    ends = []
    for small in (1 << 14, -1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(joining, "_SMALL_NBYTES", small)
            a, b, nadam = pt.Variable([1.0, 2.0]), pt.Variable([3.0]), pt.optim.Nadam(0.1)
            nadam.apply_gradients([([1.0, 1.0], a)])  # so the product of a's momenta has one factor more
            for _ in range(2):
                nadam.apply_gradients([([1.0, 1.0], a), ([2.0], b)])
            ends.append([x.numpy().tobytes() for x in (a, b, *nadam.variables)])
    assert ends[0] == ends[1]


def test_an_update_that_fails_changes_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = [pt.Variable(np.ones(n, dtype)) for n, dtype in ((2, "f4"), (3, "f4"), (2, "f8"), (3, "f8"))]
    adam = pt.optim.Adam(0.1)

    def step() -> None:
        adam.apply_gradients([(pt.ones(x.shape, dtype=x.dtype), x) for x in variables])

    step()
    before = [x.numpy().tobytes() for x in (*variables, *adam.variables)]
    update = Joined.update

    def failing(self: Joined, *arguments: Any) -> bool:
        if self.columns[0][0] is variables[2]:
            raise KeyboardInterrupt  # the group of float32 has been computed
        return update(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Joined, "update", failing)
        with pytest.raises(KeyboardInterrupt):
            step()
    assert [x.numpy().tobytes() for x in (*variables, *adam.variables)] == before


def test_a_variable_assigned_while_a_step_is_computed_makes_the_step_start_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a, b, sgd = pt.Variable([1.0, 2.0]), pt.Variable([3.0]), pt.optim.SGD(1.0)
    update = Joined.update
    assigned = []

    def interrupted(self: Joined, *arguments: Any) -> bool:
        result = update(self, *arguments)
        if not assigned:
            assigned.append(b.assign([10.0]))  # as another thread would, before the commit
        return result

    monkeypatch.setattr(Joined, "update", interrupted)
    sgd.apply_gradients([([1.0, 1.0], a), ([1.0], b)])
    assert (a.tolist(), b.tolist(), int(sgd.step)) == ([0.0, 1.0], [9.0], 1)


def test_an_op_of_another_family_is_not_joined() -> None:
    class Own(pt.optim.SGD):
        op_name = "own_update"

    def own_update(x: pt.Tensor, gradient: pt.Tensor, learning_rate: pt.Tensor) -> pt.Tensor:
        return x - learning_rate * gradient / pt.linalg.vector_norm(gradient)

    from polytape.ops.declaration import op
    from polytape.ops.update_rules import RATE, update_dtypes, update_shapes

    op(
        dtype=update_dtypes(1, step=False, hyperparameters=False),
        shape=update_shapes(1, **RATE),
        no_gradient="a test",
        internal="a test",
    )(own_update)
    a, b = pt.Variable([0.0, 0.0]), pt.Variable([0.0])
    Own(1.0).apply_gradients([([3.0, 4.0], a), ([2.0], b)])
    np.testing.assert_allclose(a.numpy(), [-0.6, -0.8], rtol=1e-6)
    assert b.tolist() == [-1.0]

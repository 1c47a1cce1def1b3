"""GradientTape: watching, nesting and closing tapes, tasks, structures of targets and sources."""

from __future__ import annotations

import asyncio
import contextvars
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.errors import DTypeError, SettingError, ShapeError, TapeError
from polytape.tensors.scope import current_scope


def numbers(gradients: Any) -> Any:
    """Gradients as Python numbers; None stays None."""
    return [None if g is None else g.tolist() for g in gradients]


# --- watching ---------------------------------------------------------------------------------------------------------


def test_a_tensor_that_is_not_watched_has_no_gradient() -> None:
    x, y = pt.asarray(3.0), pt.asarray(2.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        z = x * y
    assert numbers(tape.gradient(z, [x, y])) == [2.0, None]


def test_ops_before_the_watch_and_after_the_exit_are_not_recorded() -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape(persistent=True) as tape:
        before = x * x
        tape.watch(x)
        inside = x * x
    after = x * x
    assert numbers(tape.gradient(y, x) for y in (before, inside, after)) == [None, 6.0, None]


def test_structures_are_watched_as_a_whole() -> None:
    x, y, z = pt.asarray(1.0), pt.asarray(2.0), pt.asarray(3.0)
    with pt.GradientTape() as tape:
        tape.watch({"a": [x, (y,)], "b": z})
        product = x * y * z
    assert numbers(tape.gradient(product, [x, y, z])) == [6.0, 3.0, 2.0]


@pytest.mark.parametrize("value", [1.0, [None], np.ones(2), "x"])
def test_only_tensors_can_be_watched(value: object) -> None:
    with pytest.raises(DTypeError, match=r"GradientTape\.watch cannot follow"):
        pt.GradientTape().watch(value)


@pytest.mark.parametrize("dtype", ["int32", "bool"])
def test_a_dtype_without_a_gradient_cannot_be_watched(dtype: str) -> None:
    with pytest.raises(DTypeError, match=r"cast it with polytape\.astype"):
        pt.GradientTape().watch(pt.zeros((2,), dtype=dtype))


def test_trainable_variables_are_watched_when_used_and_listed_in_order() -> None:
    a, b, c = pt.Variable(2.0), pt.Variable(3.0), pt.Variable(4.0, trainable=False)
    with pt.GradientTape() as tape:
        y = b * a * c
    assert [v is w for v, w in zip(tape.watched_variables(), (b, a), strict=True)] == [True, True]
    assert numbers(tape.gradient(y, [a, b, c])) == [12.0, 8.0, None]


def test_a_tape_can_watch_only_variables_passed_to_watch() -> None:
    a, b = pt.Variable(2.0), pt.Variable(3.0)
    with pt.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(a)
        y = a * b
    assert len(tape.watched_variables()) == 1
    assert numbers(tape.gradient(y, [a, b])) == [3.0, None]


def test_one_tape_may_watch_variables_while_another_does_not() -> None:
    v = pt.Variable(3.0)
    with pt.GradientTape() as automatic, pt.GradientTape(watch_accessed_variables=False) as manual:
        y = v * v
    assert automatic.gradient(y, v).item() == 6.0
    assert manual.gradient(y, v) is None


def test_a_variable_that_is_not_trainable_can_be_watched_explicitly() -> None:
    v = pt.Variable(3.0, trainable=False)
    with pt.GradientTape() as tape:
        tape.watch(v)
        y = v * v
    assert tape.gradient(y, v).item() == 6.0


def test_a_copied_handle_is_followed_like_the_original() -> None:
    v = pt.Variable(3.0)
    with pt.GradientTape() as tape:
        y = pt.asarray(v) * 2.0 + v.read_value() + (+v) * v.to_device("numpy")
    assert tape.gradient(y, v).item() == 9.0


# --- nested, twin, out of order, persistent ---------------------------------------------------------------------------


def test_nested_tapes_compute_higher_derivatives() -> None:
    x = pt.asarray(2.0)
    with pt.GradientTape() as third:
        third.watch(x)
        with pt.GradientTape() as second:
            second.watch(x)
            with pt.GradientTape() as first:
                first.watch(x)
                y = x * x * x * x
            dy = first.gradient(y, x)
        d2y = second.gradient(dy, x)
    assert (dy.item(), d2y.item(), third.gradient(d2y, x).item()) == (32.0, 48.0, 48.0)


def test_two_tapes_over_one_computation_each_compute_the_gradient() -> None:
    x, w = pt.asarray(3.0), pt.asarray(2.0)
    with pt.GradientTape() as first, pt.GradientTape() as second:
        first.watch(x)
        second.watch([x, w])
        y = x * x * w
    assert first.gradient(y, x).item() == 12.0
    assert numbers(second.gradient(y, [x, w])) == [12.0, 9.0]


def test_an_inner_tape_that_is_spent_first_does_not_free_records_of_the_outer_tape() -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape() as outer:
        outer.watch(x)
        with pt.GradientTape() as inner:
            inner.watch(x)
            y = x * x
        dy = inner.gradient(y, x)
        z = y * dy
    assert outer.gradient(z, x).item() == 54.0  # 2 x**3


def test_tapes_may_be_closed_out_of_order() -> None:
    def check() -> None:
        x = pt.asarray(3.0)
        first, second, third = pt.GradientTape(), pt.GradientTape(), pt.GradientTape()
        for tape in (first, second, third):
            tape.__enter__()
            tape.watch(x)
        y = x * x
        second.__exit__(None, None, None)
        z = x * y
        first.__exit__(None, None, None)
        third.__exit__(None, None, None)
        assert current_scope.get().tapes == ()
        assert second.gradient(z, x) is None
        assert (first.gradient(z, x).item(), third.gradient(z, x).item()) == (27.0, 27.0)

    contextvars.copy_context().run(check)  # tapes that a failure leaves open do not affect later tests


def test_a_persistent_tape_computes_several_gradients_and_can_be_reopened() -> None:
    x = pt.asarray(3.0)
    tape = pt.GradientTape(persistent=True)
    with tape:
        tape.watch(x)
        y = x * x
        z = y * y
    assert numbers(tape.gradient(target, x) for target in (y, z, y)) == [6.0, 108.0, 6.0]
    with tape:
        w = z * x
    assert tape.gradient(w, x).item() == 405.0


def test_a_persistent_tape_differentiates_its_own_gradient() -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x * x
        dy = tape.gradient(y, x)
    assert tape.gradient(dy, x).item() == 18.0


def test_a_gradient_inside_the_block_closes_a_tape_that_is_not_persistent() -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
        assert tape.gradient(y, x).item() == 6.0
        assert current_scope.get().tapes == ()
    assert repr(tape).startswith("GradientTape(spent")


def test_a_second_use_is_an_error_that_says_how_to_fix_it() -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match=r"GradientTape\(persistent=True\)") as caught:
        tape.gradient(y, x)
    assert isinstance(caught.value, TapeError)
    with pytest.raises(TapeError, match="has already been used"), tape:
        pass


def test_a_rejected_call_does_not_spend_the_tape() -> None:
    x = pt.asarray([1.0, 2.0])
    with pt.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    with pytest.raises(ShapeError, match="output gradient"):
        tape.gradient(y, x, output_gradients=pt.ones((3,)))
    with pytest.raises(DTypeError, match="gradient cannot start at"):
        tape.gradient(pt.asarray(1), x)
    assert tape.gradient(y, x).tolist() == [2.0, 4.0]


def test_an_open_tape_cannot_be_opened_again() -> None:
    with pt.GradientTape() as tape, pytest.raises(TapeError, match="already recording"), tape:
        pass
    assert current_scope.get().tapes == ()


def test_an_error_inside_the_block_closes_the_tape() -> None:
    with pytest.raises(ZeroDivisionError), pt.GradientTape() as tape:
        1 / 0  # noqa: B018  # any error will do
    assert tape.closed and current_scope.get().tapes == ()


# --- stop_recording and reset -----------------------------------------------------------------------------------------


def test_results_computed_while_recording_is_stopped_are_constants() -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape() as outer, pt.GradientTape() as tape:
        tape.watch(x)
        outer.watch(x)
        with tape.stop_recording():
            with tape.stop_recording():
                a = x * x
            a = a * 1.5
        y = a * x
    assert tape.gradient(y, x).item() == 13.5
    assert outer.gradient(y, x).item() == 40.5  # the other tape kept recording


def test_a_gradient_may_be_computed_while_recording_is_stopped() -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        with tape.stop_recording():
            dy = tape.gradient(y, x)
        z = x * dy
    assert tape.gradient(z, x).item() == 6.0


def test_reset_discards_what_was_watched_and_recorded() -> None:
    x, v = pt.asarray(3.0), pt.Variable(2.0)
    with pt.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x * v
        tape.reset()
        assert tape.watched_variables() == ()
        z = x * v
    assert numbers([tape.gradient(y, x), tape.gradient(z, x), tape.gradient(z, v)]) == [None, None, 3.0]


# --- tasks ------------------------------------------------------------------------------------------------------------


def test_a_closed_tape_in_a_copied_context_does_not_record() -> None:
    x = pt.asarray(3.0)
    with pt.GradientTape(persistent=True) as tape:
        tape.watch(x)
        context = contextvars.copy_context()
        early = context.run(lambda: x * x)
    late = context.run(lambda: x * x)
    assert tape.gradient(early, x).item() == 6.0
    assert late.node is None
    assert tape.gradient(late, x) is None


def test_tasks_have_separate_tapes() -> None:
    x = pt.asarray(3.0)

    async def task(power: int) -> float:
        with pt.GradientTape() as tape:
            tape.watch(x)
            y = x
            for _ in range(power - 1):
                await asyncio.sleep(0)
                y = y * x
        await asyncio.sleep(0)
        gradient: float = tape.gradient(y, x).item()
        return gradient

    async def main() -> list[float]:
        return list(await asyncio.gather(*(task(power) for power in (1, 2, 3, 4))))

    assert asyncio.run(main()) == [1.0, 6.0, 27.0, 108.0]


def test_a_task_that_outlives_the_tape_is_not_recorded() -> None:
    x = pt.asarray(3.0)

    async def main() -> tuple[Any, Any]:
        done = asyncio.Event()

        async def late() -> Any:
            await done.wait()
            return x * x

        with pt.GradientTape() as tape:
            tape.watch(x)
            running = asyncio.create_task(late())
            await asyncio.sleep(0)
            y = x * x
        done.set()
        return (await running).node, tape.gradient(y, x).item()

    assert asyncio.run(main()) == (None, 6.0)


# --- structures in and out --------------------------------------------------------------------------------------------

Pair = namedtuple("Pair", "left right")


@pytest.mark.parametrize("make", [list, tuple, lambda pair: {"b": pair[0], "a": pair[1]}, lambda pair: Pair(*pair)])
def test_the_result_has_the_structure_of_the_sources(make: Any) -> None:
    x, y = pt.asarray(2.0), pt.asarray(5.0)
    sources = make([x, y])
    with pt.GradientTape() as tape:
        tape.watch(sources)
        z = x * y
    result = tape.gradient(z, sources)
    assert type(result) is type(sources)
    gradients = list(result.values()) if isinstance(result, dict) else list(result)
    assert numbers(gradients) == [5.0, 2.0]
    if isinstance(result, dict):
        assert list(result) == ["b", "a"]


def test_the_result_for_nested_sources_is_nested() -> None:
    x, y = pt.asarray(2.0), pt.asarray(5.0)
    with pt.GradientTape() as tape:
        tape.watch([x, y])
        z = {"sum": x + y, "product": [x * y]}
    result = tape.gradient(z, {"x": [x], "rest": (y, {"again": x})})
    assert result["x"][0].item() == 6.0 and result["rest"][0].item() == 3.0
    assert result["rest"][1]["again"].item() == 6.0


def test_an_empty_list_of_sources_gives_an_empty_list() -> None:
    with pt.GradientTape() as tape:
        pass
    assert tape.gradient(pt.asarray(1.0), []) == []


def test_a_source_must_be_a_tensor() -> None:
    with pytest.raises(DTypeError, match=r"gradient cannot use 1\.0 as a source"):
        pt.GradientTape().gradient(pt.asarray(1.0), [1.0])


def test_the_gradient_of_an_unconnected_source_is_none_or_zeros() -> None:
    x, y = pt.asarray([1.0, 2.0]), pt.asarray([[1.0]], dtype="float64")
    for choice, expected in (("none", None), ("zero", [[0.0]])):
        with pt.GradientTape() as tape:
            tape.watch([x, y])
            z = x * x
        dx, dy = tape.gradient(z, [x, y], unconnected_gradients=choice)
        assert dx.tolist() == [2.0, 4.0]
        assert (None if dy is None else dy.tolist()) == expected
        assert expected is None or dy.dtype == "float64"


def test_an_invalid_value_of_unconnected_gradients_is_rejected() -> None:
    with pytest.raises(SettingError, match="'none' or 'zero'"):
        pt.GradientTape().gradient(pt.asarray(1.0), [], unconnected_gradients="zeros")


@pytest.mark.parametrize("dtype", ["int32", "bool"])
@pytest.mark.parametrize("make", [pt.asarray, pt.Variable])
def test_a_source_that_cannot_have_a_gradient_is_rejected(make: Callable[..., pt.Tensor], dtype: str) -> None:
    w, count = pt.Variable(1.0), make(1, dtype=dtype)
    with pt.GradientTape(persistent=True) as tape:
        y = w * w
    with pytest.raises(DTypeError, match=rf"no gradient with respect to {dtype}\[\]"):
        tape.gradient(y, [w, count])
    assert tape.gradient(y, w).item() == 2.0

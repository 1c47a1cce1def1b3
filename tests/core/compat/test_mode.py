"""Graph mode before `enable_eager_execution`, eager mode after it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Program = Callable[[str], str]


def test_what_has_no_graph_mode_raises_there_and_names_the_line_to_write(program: Program) -> None:
    printed = program(
        """
        import polytape as pt
        calls = [lambda: tfe.gradients_function(tf.square), lambda: tfe.EagerVariableStore()]
        for call in calls:
            try:
                call()
            except pt.PolytapeError as error:
                assert isinstance(error, RuntimeError) and isinstance(error, tf.GraphModeError)
                print(error.fix)
        print(tf.executing_eagerly())
        """
    )
    line = "write tf.enable_eager_execution() at the start of the program, right after the imports"
    assert printed.splitlines() == [line] * 2 + ["False"]


def test_eager_execution_cannot_be_enabled_after_an_op_was_recorded(program: Program) -> None:
    printed = program(
        """
        print(tf.constant(1.0))
        try:
            tf.enable_eager_execution()
        except ValueError as error:
            print(error)
        """
    )
    assert printed.splitlines() == [
        'Tensor("Const:0", shape=(), dtype=float32)',
        "tf.enable_eager_execution must be called at program startup.",
    ]


@pytest.mark.parametrize("enable", ["tf.enable_eager_execution()", "tfe.enable_eager_execution()"])
def test_enabling_eager_execution_twice_is_harmless(program: Program, enable: str) -> None:
    printed = program(f"{enable}\n{enable}\nprint(tf.executing_eagerly(), tfe.executing_eagerly(), tf.add(1.0, 2.0))")
    assert printed == "True True tf.Tensor(3.0, shape=(), dtype=float32)\n"


def test_tensors_print_as_in_tensorflow(program: Program) -> None:
    printed = program("tf.enable_eager_execution()\nprint(tf.constant([[1, 2], [3, 4]]))")
    assert printed == "tf.Tensor(\n[[1 2]\n [3 4]], shape=(2, 2), dtype=int32)\n"


def test_in_graph_mode_tensors_print_as_in_polytape(program: Program) -> None:
    assert program("import polytape as pt\nprint(pt.asarray([1, 2]))") == "[1 2]\n"


def test_the_error_s_traceback_has_at_most_two_frames_below_the_user_s(program: Program) -> None:
    printed = program(
        """
        import traceback
        try:
            tfe.EagerVariableStore()
        except RuntimeError as error:
            print(len(traceback.extract_tb(error.__traceback__)))
        """
    )
    assert int(printed) <= 3

"""Process settings, and the scopes of a task."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

import polytape as pt
from polytape.errors import SettingError
from polytape.settings import change_settings, settings
from polytape.tensors.scope import NO_SCOPE, Scope, current_scope

Child = Callable[..., "CompletedProcess[str]"]


def test_settings_are_replaced_as_a_whole() -> None:
    before = settings()
    old = change_settings(print_style="tf1")
    try:
        assert old is before and settings() is not before
        assert settings().print_style == "tf1" and settings().fallback == before.fallback
    finally:
        change_settings(print_style=old.print_style)
    assert "print_style='polytape'" in repr(settings())


@pytest.mark.parametrize("field", ["fallback", "mixed_devices", "print_style"])
def test_an_invalid_policy_changes_nothing(field: str) -> None:
    before = settings()
    with pytest.raises(SettingError, match=f"{field}='x' is not a valid policy"):
        change_settings(**{field: "x"})
    assert settings() is before


@pytest.mark.parametrize("name", ["POLYTAPE_FALLBACK", "POLYTAPE_MIXED_DEVICES", "POLYTAPE_TRACEBACK"])
def test_the_value_of_an_environment_variable_is_checked_at_import(name: str, child: Child) -> None:
    result = child("import polytape", status=1, **{name: "perhaps"})
    assert f"SettingError: {name}='perhaps' is not understood." in result.stderr


def test_environment_variables_set_the_policies(child: Child) -> None:
    code = "import polytape as pt; from polytape.settings import settings; print(settings(), settings().full_traceback)"
    result = child(code, POLYTAPE_FALLBACK="Warn", POLYTAPE_MIXED_DEVICES="silent", POLYTAPE_TRACEBACK="full")
    assert "fallback='warn', mixed_devices='silent'" in result.stdout and result.stdout.rstrip().endswith("True")


def test_scopes_have_increasing_serial_numbers() -> None:
    first, second = Scope((), None), Scope((), None)
    assert first.serial < second.serial and repr(first) == "Scope(0 tapes, trace=None)"


def test_a_copied_context_keeps_the_tapes_that_were_open_when_it_was_copied() -> None:
    with pt.GradientTape() as tape:
        context = contextvars.copy_context()
    assert context.run(current_scope.get).tapes == (tape,)
    assert current_scope.get().tapes == () and NO_SCOPE.tapes == ()


def test_tapes_and_devices_may_exit_out_of_order() -> None:
    def check() -> None:
        tape, scope = pt.GradientTape(), pt.device("numpy:cpu:0")
        tape.__enter__()
        scope.__enter__()
        assert pt.current_backend().chosen_by == "scope"
        tape.__exit__(None, None, None)
        assert pt.current_backend().chosen_by == "scope" and current_scope.get().tapes == ()
        with pt.GradientTape() as other_tape:
            scope.__exit__(None, None, None)
            assert current_scope.get().tapes == (other_tape,) and pt.current_backend().chosen_by != "scope"

    contextvars.copy_context().run(check)  # so that a failure leaves no scope open for later tests

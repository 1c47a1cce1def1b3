"""Process settings: one immutable value, replaced as a whole and shared by all threads.

Scopes are not here: each is a context variable in the module that it belongs to.
"""

from __future__ import annotations

import os
from typing import Final

from .errors import PolytapeError, SettingError
from .locks import process_lock

__all__ = ["Settings", "change_settings", "settings", "trimmed"]

FALLBACKS: Final = ("error", "warn", "allow")
MIXED: Final = ("explicit", "warn", "silent")


class Settings:
    """Process settings: one immutable value, shared by all threads."""

    __slots__ = (
        "backend",
        "check",
        "check_numerics",
        "chosen_by",
        "fallback",
        "full_traceback",
        "mixed_devices",
        "print_style",
    )

    def __init__(
        self,
        backend: str,
        chosen_by: str,
        fallback: str,
        mixed_devices: str,
        print_style: str,
        full_traceback: bool,
        check: str,
        check_numerics: str,
    ) -> None:
        self.backend: Final = backend  # device name for new tensors; "" leaves the choice to POLYTAPE_BACKEND
        self.chosen_by: Final = chosen_by
        self.fallback: Final = fallback
        self.mixed_devices: Final = mixed_devices
        self.print_style: Final = print_style
        self.full_traceback: Final = full_traceback
        # How results are checked: "" (not at all), "results", or the name of a backend; see dispatch.checking.
        self.check: Final = check
        self.check_numerics: Final = check_numerics  # "0", "1", "nan" or "inf"; see debug.numerics

    def __repr__(self) -> str:
        return (
            f"Settings(backend={self.backend!r}, chosen_by={self.chosen_by!r}, fallback={self.fallback!r}, "
            f"mixed_devices={self.mixed_devices!r}, print_style={self.print_style!r})"
        )


def read_choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """The value of the environment variable ``name``, or ``default`` if it is not set.

    Raises:
        SettingError: the value is not in ``allowed``.
    """
    value = os.environ.get(name, "").strip().lower() or default
    if value not in allowed:
        raise SettingError(
            f"{name}={value!r} is not understood.",
            expected=" or ".join(allowed),
            got=repr(value),
            fix=f"set {name} to one of these, or unset it",
        )
    return value


def read_check() -> str:
    """How results are checked, by POLYTAPE_CHECK: "" for not at all, "results", or the name of a backend.

    Whether there is such a backend is found out when the first op runs: here, no plugin is known yet.

    Raises:
        SettingError: the value cannot be the name of a backend.
    """
    value = os.environ.get("POLYTAPE_CHECK", "").strip().lower()
    if not value.replace("-", "_").isidentifier() and value != "":
        raise SettingError(
            f"POLYTAPE_CHECK={value!r} is not understood.",
            expected="off, results, or the name of the backend to compare with, such as numpy",
            got=repr(value),
            fix="set POLYTAPE_CHECK to one of these, or unset it",
        )
    return "" if value == "off" else value


class _Holder:
    """Holds the current Settings, so that one assignment to an attribute replaces them."""

    def __init__(self) -> None:
        self.settings = Settings(
            "",
            "",
            read_choice("POLYTAPE_FALLBACK", "error", FALLBACKS),
            read_choice("POLYTAPE_MIXED_DEVICES", "explicit", MIXED),
            "polytape",
            read_choice("POLYTAPE_TRACEBACK", "short", ("short", "full")) == "full",
            read_check(),
            read_choice("POLYTAPE_CHECK_NUMERICS", "0", ("0", "1", "nan", "inf")),
        )


_holder: Final = _Holder()
_lock: Final = process_lock()


def settings() -> Settings:
    """The current process settings."""
    return _holder.settings


def change_settings(
    *,
    backend: str | None = None,
    chosen_by: str | None = None,
    fallback: str | None = None,
    mixed_devices: str | None = None,
    print_style: str | None = None,
) -> Settings:
    """Replace the process settings by new ones that differ in the given fields; returns the old ones.

    Raises:
        SettingError: a value is not a valid policy.
    """
    for name, value, allowed in (
        ("fallback", fallback, FALLBACKS),
        ("mixed_devices", mixed_devices, MIXED),
        ("print_style", print_style, ("polytape", "tf1")),
    ):
        if value is not None and value not in allowed:
            raise SettingError(
                f"{name}={value!r} is not a valid policy.",
                expected=" or ".join(allowed),
                got=repr(value),
                fix="use one of these",
            )
    with _lock:
        old = _holder.settings
        _holder.settings = Settings(
            old.backend if backend is None else backend,
            old.chosen_by if chosen_by is None else chosen_by,
            old.fallback if fallback is None else fallback,
            old.mixed_devices if mixed_devices is None else mixed_devices,
            old.print_style if print_style is None else print_style,
            old.full_traceback,
            old.check,
            old.check_numerics,
        )
        return old


def trimmed(error: PolytapeError) -> PolytapeError:
    """``error`` without its traceback, which hides the frames below the caller, unless POLYTAPE_TRACEBACK=full."""
    return error if settings().full_traceback else error.with_traceback(None)

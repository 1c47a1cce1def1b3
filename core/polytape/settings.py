"""Process settings: one value, swapped whole and seen by all threads; scopes are elsewhere, where what they hold is."""

from __future__ import annotations

import os
from _thread import allocate_lock
from typing import Final

from .errors import PolytapeError, SettingError

__all__ = ["Settings", "change_settings", "settings", "trimmed"]

FALLBACKS: Final = ("error", "warn", "allow")
MIXED: Final = ("explicit", "warn", "silent")


class Settings:
    """Process settings: one value, never changed in place, seen by all threads."""

    __slots__ = ("backend", "chosen_by", "fallback", "full_traceback", "mixed_devices", "print_style")

    def __init__(
        self, backend: str, chosen_by: str, fallback: str, mixed_devices: str, print_style: str, full_traceback: bool
    ) -> None:
        self.backend: Final = backend  # a device name for new tensors, "" where only POLYTAPE_BACKEND says
        self.chosen_by: Final = chosen_by
        self.fallback: Final = fallback
        self.mixed_devices: Final = mixed_devices
        self.print_style: Final = print_style
        self.full_traceback: Final = full_traceback

    def __repr__(self) -> str:
        return (
            f"Settings(backend={self.backend!r}, chosen_by={self.chosen_by!r}, fallback={self.fallback!r}, "
            f"mixed_devices={self.mixed_devices!r}, print_style={self.print_style!r})"
        )


def read_choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """The environment variable ``name``, one of ``allowed``.

    Raises:
        SettingError: it is set to anything else.
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


class _Holder:
    """The current Settings, so that one attribute store swaps them."""

    def __init__(self) -> None:
        self.settings = Settings(
            "",
            "",
            read_choice("POLYTAPE_FALLBACK", "error", FALLBACKS),
            read_choice("POLYTAPE_MIXED_DEVICES", "explicit", MIXED),
            "polytape",
            read_choice("POLYTAPE_TRACEBACK", "short", ("short", "full")) == "full",
        )


_holder: Final = _Holder()
_lock: Final = allocate_lock()


def settings() -> Settings:
    """The process settings now."""
    return _holder.settings


def change_settings(
    *,
    backend: str | None = None,
    chosen_by: str | None = None,
    fallback: str | None = None,
    mixed_devices: str | None = None,
    print_style: str | None = None,
) -> Settings:
    """Swap the process settings for new ones that differ in the given fields; returns the old ones.

    Raises:
        SettingError: a policy that does not exist.
    """
    for name, value, allowed in (
        ("fallback", fallback, FALLBACKS),
        ("mixed_devices", mixed_devices, MIXED),
        ("print_style", print_style, ("polytape", "tf1")),
    ):
        if value is not None and value not in allowed:
            raise SettingError(
                f"{name}={value!r} is no policy.",
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
        )
        return old


def trimmed(error: PolytapeError) -> PolytapeError:
    """The error without the frames below, unless POLYTAPE_TRACEBACK=full asks for them."""
    return error if settings().full_traceback else error.with_traceback(None)

"""Backends as plugins: which are installed, how one is loaded, and why another cannot be used.

`discovery` reads the metadata of installed distributions, `hookspecs` declares the hooks, `loading` loads and
registers, `statuses` puts failures into words. Nothing here knows a tensor. The names below are public.

May import: `backend`, `device`, `errors`, `registry`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .loading import (
        BackendStatus,
        RegisteredBackend,
        backends,
        get_backend,
        host_backend,
        installed,
        is_known,
        loaded,
        refresh,
        register_backend,
        warnings_of_filter,
    )

__all__ = [
    "BackendStatus",
    "RegisteredBackend",
    "backends",
    "get_backend",
    "host_backend",
    "installed",
    "is_known",
    "loaded",
    "refresh",
    "register_backend",
    "warnings_of_filter",
]


def __getattr__(name: str) -> Any:
    # Lazy: checking POLYTAPE_PLUGINS needs only `discovery`.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.loading"), name)
    return value

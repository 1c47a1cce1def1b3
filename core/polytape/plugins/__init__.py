"""Backends as plugins: which are installed, loading one, and why another cannot be used.

May import the contract and `registry`; nothing that knows a tensor. The names below are public.
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
    # Late: to check POLYTAPE_PLUGINS takes `discovery` alone.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    found = globals()[name] = getattr(importlib.import_module(f"{__name__}.loading"), name)
    return found

"""Backends as plugins: which are installed, how one is loaded, and why another cannot be used.

`discovery` reads the metadata of installed distributions, `plugin_filter` the setting of which of them may load;
`hookspecs` declares the hooks, `loading` loads a plugin when its backend is requested, `listing` loads them all,
`registration` registers a backend of this process, `statuses` puts failures into words. Nothing here knows a tensor.
The names below are public.

May import: `backend`, `device`, `errors`, `registry`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .listing import BackendStatus, backends, loaded, problems, warnings_of_filter
    from .loading import get_backend, host_backend, installed, is_known
    from .registration import RegisteredBackend, refresh, register_backend

__all__ = [
    "BackendStatus",
    "RegisteredBackend",
    "backends",
    "get_backend",
    "host_backend",
    "installed",
    "is_known",
    "loaded",
    "problems",
    "refresh",
    "register_backend",
    "warnings_of_filter",
]

_LISTING = ("BackendStatus", "backends", "loaded", "problems", "warnings_of_filter")
_REGISTRATION = ("RegisteredBackend", "refresh", "register_backend")


def __getattr__(name: str) -> Any:
    # Lazy: checking POLYTAPE_PLUGINS needs only `plugin_filter`, and a tensor only `loading`.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    module = "listing" if name in _LISTING else "registration" if name in _REGISTRATION else "loading"
    value = globals()[name] = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    return value

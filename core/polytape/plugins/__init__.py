"""Backends as plugins: which are installed, loading one, and why another cannot be used.

May import the contract and `registry`; nothing that knows a tensor. The names below are public.
"""

from __future__ import annotations

from .loading import (
    BackendStatus,
    SessionBackend,
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
    "SessionBackend",
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

"""Objects by their names, as Keras' arguments take them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

__all__ = ["NamedObjects", "custom_objects", "described", "get_custom_objects"]

_custom: Final[dict[str, Any]] = {}
_scoped: Final[ContextVar[Mapping[str, Any] | None]] = ContextVar("polytape.compat.tf1.custom_objects", default=None)


def get_custom_objects() -> dict[str, Any]:
    """The objects that `NamedObjects.get` finds by name in addition; change it to add some."""
    return _custom


@contextmanager
def custom_objects(objects: Mapping[str, Any]) -> Iterator[None]:
    """A context manager: inside, these objects are found by name."""
    token = _scoped.set({**(_scoped.get() or {}), **objects})
    try:
        yield
    finally:
        _scoped.reset(token)


class NamedObjects:
    """Finds functions and classes by name.

    Args:
        kind: what they are, for errors.
        objects: by name.
    """

    def __init__(self, kind: str, objects: Mapping[str, Any]) -> None:
        self.kind, self.objects = kind, dict(objects)

    def get(self, identifier: Any, custom: Mapping[str, Any] | None = None) -> Any:
        """The object of a name; of ``{"class_name": ..., "config": {...}}``, an instance; anything callable is itself.

        Raises:
            ValueError: there is none.
        """
        if isinstance(identifier, dict):
            cls = self._find(identifier["class_name"], custom)
            return cls(**identifier.get("config", {}))
        if isinstance(identifier, str):
            return self._find(identifier, custom)
        if callable(identifier):
            return identifier
        raise ValueError(f"Could not interpret {self.kind} identifier: {identifier}")

    def _find(self, name: str, custom: Mapping[str, Any] | None) -> Any:
        for objects in (custom or {}, _scoped.get() or {}, _custom, self.objects):
            if name in objects:
                return objects[name]
        raise ValueError(f"Unknown {self.kind}: {name}; there are {', '.join(sorted(self.objects))}")


def described(x: Any) -> Any:
    """A name for a function, ``{"class_name": ..., "config": ...}`` for an object."""
    if x is None:
        return None
    if hasattr(x, "get_config"):
        return {"class_name": type(x).__name__, "config": x.get_config()}
    return getattr(x, "__name__", type(x).__name__)

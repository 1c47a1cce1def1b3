"""The hooks a plugin implements, and their one PluginManager.

pluggy marks functions by attributes and reads their signatures, which functions compiled by mypyc do not allow: this
module of the ring always runs as Python. It is loaded with the first plugin, since importing pluggy takes 4 ms.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

import pluggy

from ..backend import Backend, Kernel
from ..errors import PluginError
from .discovery import MAJOR, EntryPoint

__all__ = ["backend_of", "hookimpl", "hookspec", "kernels_of"]

hookspec: Final = pluggy.HookspecMarker("polytape")
hookimpl: Final = pluggy.HookimplMarker("polytape")


@hookspec(firstresult=True)
def polytape_backend() -> Backend:  # type: ignore[empty-body]  # a specification
    """The backend of the entry point ``polytape.backends.v1``; its name is the entry point's."""


@hookspec(firstresult=True)
def polytape_kernels() -> Sequence[Kernel]:  # type: ignore[empty-body]  # a specification
    """Kernels for the backend that the entry point in ``polytape.kernels.v1`` is named after."""


_manager: Final = pluggy.PluginManager("polytape")
_manager.add_hookspecs(sys.modules[__name__])


def _import(value: str) -> object:
    module, _, names = value.partition(":")
    __import__(module)
    found: object = sys.modules[module]
    for name in names.split(".") if names else ():
        found = getattr(found, name)
    return found


def _register(plugin: object, entry: EntryPoint) -> None:
    try:
        _manager.register(plugin, name=f"{entry.dist}/{entry.value}")
        # pluggy accepts a misspelt hook in silence; only this finds it.
        _manager.check_pending()
    except BaseException:
        if _manager.is_registered(plugin):
            _manager.unregister(plugin)
        raise


def _call(entry: EntryPoint, hook: str) -> object:
    """Import the plugin, register it, and return what its own implementation of ``hook`` returns."""
    if not entry.readable:
        raise PluginError(
            f"{entry.dist} {entry.version} is made for plugin API {entry.major}.",
            expected=f"a plugin for API {MAJOR}",
            got=f"the group {entry.group}.v{entry.major}",
            fix=f"install another release of {entry.dist}",
        )
    plugin = _import(entry.value)
    if not _manager.is_registered(plugin):
        _register(plugin, entry)
    caller: pluggy.HookCaller = getattr(_manager.hook, hook)
    for implementation in caller.get_hookimpls():
        if implementation.plugin is plugin:
            result: object = implementation.function()
            return result
    unmarked = callable(getattr(plugin, hook, None))
    fix = f"put @polytape.hookimpl above {hook}" if unmarked else f"define it, or correct the entry point {entry.name}"
    raise PluginError(
        f"{entry.value} of {entry.dist} implements no {hook}.",
        expected=f"a function {hook}() marked with @polytape.hookimpl",
        got=f"{hook} without the mark" if unmarked else f"no {hook}",
        fix=fix,
    )


def backend_of(entry: EntryPoint) -> Backend:
    """The backend that a plugin hands over.

    Raises:
        PluginError: it hands over none of that name.
        Exception: whatever the plugin raises.
    """
    value = _call(entry, "polytape_backend")
    if isinstance(value, Backend) and value.name == entry.name:
        return value
    raise PluginError(
        f"{entry.dist} hands over no backend {entry.name!r}.",
        expected=f"polytape.Backend(name={entry.name!r}, ...), named as its entry point",
        got=repr(value),
        fix="give backend and entry point one name",
    )


def kernels_of(entry: EntryPoint) -> list[Kernel]:
    """The kernels that a plugin has for the backend its entry point is named after.

    Raises:
        PluginError: it hands over something else.
        Exception: whatever the plugin raises.
    """
    value = _call(entry, "polytape_kernels")
    kernels: list[Kernel] = []
    for kernel in value if isinstance(value, Sequence) else (value,):
        if not isinstance(kernel, Kernel) or kernel.backend not in ("", entry.name):
            raise PluginError(
                f"{entry.dist} hands over something else than kernels for {entry.name!r}.",
                expected=f"a list of polytape.Kernel, with backend={entry.name!r} or none",
                got=repr(kernel),
                fix="use one entry point per backend that gets kernels",
            )
        kernel.backend = entry.name
        kernels.append(kernel)
    return kernels

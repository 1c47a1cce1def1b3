"""The hooks that a plugin implements, and the PluginManager that calls them.

pluggy marks functions by attributes and reads their signatures, which functions compiled by mypyc do not allow, so this
module must not be compiled. It is imported with the first plugin, because importing pluggy takes 4 ms.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Final

import pluggy

from ..backend import Backend, Kernel
from ..errors import PluginError
from .discovery import MAJOR, EntryPoint

__all__ = ["backend_of", "check_own", "hookimpl", "hookspec", "kernels_of"]

hookspec: Final = pluggy.HookspecMarker("polytape")
hookimpl: Final = pluggy.HookimplMarker("polytape")


@hookspec(firstresult=True)
def polytape_backend() -> Backend:  # type: ignore[empty-body]  # a specification
    """The backend of an entry point in ``polytape.backends.v1``; its name must be the entry point's."""


@hookspec(firstresult=True)
def polytape_kernels() -> Sequence[Kernel]:  # type: ignore[empty-body]  # a specification
    """Kernels for the backend that the entry point in ``polytape.kernels.v1`` is named after."""


_manager: Final = pluggy.PluginManager("polytape")
_manager.add_hookspecs(sys.modules[__name__])


def _import(value: str) -> object:
    module, _, names = value.partition(":")
    __import__(module)
    plugin: object = sys.modules[module]
    for name in names.split(".") if names else ():
        plugin = getattr(plugin, name)
    return plugin


def _register(plugin: object, entry: EntryPoint) -> None:
    try:
        _manager.register(plugin, name=f"{entry.dist}/{entry.value}")
        # register() silently accepts a misspelt hook; only check_pending() rejects it.
        _manager.check_pending()
    except BaseException:
        if _manager.is_registered(plugin):
            _manager.unregister(plugin)
        raise


def _call(entry: EntryPoint, hook: str) -> object:
    """Import the plugin, register it, and return the result of its own implementation of ``hook``."""
    if not entry.readable:
        raise PluginError(
            f"{entry.dist} {entry.version} is built for plugin API {entry.major}.",
            expected=f"a plugin for API {MAJOR}",
            got=f"the entry point group {entry.group}.v{entry.major}",
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
    if unmarked:
        fix = f"decorate {hook} with @polytape.hookimpl"
    else:
        fix = f"define it, or correct the entry point {entry.name}"
    raise PluginError(
        f"{entry.value} of {entry.dist} does not implement {hook}.",
        expected=f"a function {hook}() decorated with @polytape.hookimpl",
        got=f"{hook} without the decorator" if unmarked else f"no {hook}",
        fix=fix,
    )


def check_own(entry: EntryPoint) -> None:
    """Check, without importing anything, that a plugin of polytape itself would be imported from polytape's own files.

    Raises:
        PluginError: another package of that name comes first on ``sys.path``.
    """
    import importlib.util

    package = entry.value.partition(":")[0].partition(".")[0]
    spec = importlib.util.find_spec(package)
    origin = "" if spec is None or spec.origin is None else os.path.realpath(spec.origin)
    if spec is not None and not origin.startswith(os.path.realpath(entry.root) + os.sep):
        raise PluginError(
            f"the package {package} that Python finds is not polytape's own.",
            expected=f"a file in {entry.root}",
            got=origin or f"the package {package} without a file",
            fix=f"remove what precedes {entry.root} on sys.path, or allow other plugins in POLYTAPE_PLUGINS",
        )


def backend_of(entry: EntryPoint) -> Backend:
    """The backend that a plugin provides.

    Raises:
        PluginError: the plugin does not return a backend of its entry point's name.
        Exception: whatever the plugin raises.
    """
    backend = _call(entry, "polytape_backend")
    if isinstance(backend, Backend) and backend.name == entry.name:
        return backend
    raise PluginError(
        f"{entry.dist} does not return a backend named {entry.name!r}.",
        expected=f"polytape.Backend(name={entry.name!r}, ...), named like its entry point",
        got=repr(backend),
        fix="give the backend and the entry point the same name",
    )


def kernels_of(entry: EntryPoint) -> list[Kernel]:
    """The kernels that a plugin provides for the backend its entry point is named after.

    Raises:
        PluginError: the plugin returns anything else.
        Exception: whatever the plugin raises.
    """
    value = _call(entry, "polytape_kernels")
    kernels: list[Kernel] = []
    for kernel in value if isinstance(value, Sequence) else (value,):
        if not isinstance(kernel, Kernel) or kernel.backend not in ("", entry.name):
            raise PluginError(
                f"{entry.dist} returns something other than kernels for {entry.name!r}.",
                expected=f"a list of polytape.Kernel, with backend={entry.name!r} or without backend",
                got=repr(kernel),
                fix="use a separate entry point for each backend",
            )
        kernel.backend = entry.name
        kernels.append(kernel)
    return kernels

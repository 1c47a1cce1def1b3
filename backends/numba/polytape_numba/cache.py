"""Compiled functions that are cached on disk: safely, and with a message when compiling really starts.

numba's cache files are pickles, so whoever can write them can run code here, which numba does not check. To numba, a
damaged file is an error in every later run. And a first run that compiles for 20 s looks like a program that hangs.
"""

from __future__ import annotations

import importlib
import logging
import os
import stat
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypeVar, cast

import numba

from polytape.errors import PolytapeWarning

__all__ = ["compiled", "compiled_pointer", "why_unsafe"]

F = TypeVar("F", bound=Callable[..., Any])

# Any, since only some releases have types
_caching: Final[Any] = importlib.import_module("numba.core.caching")
_ccallback: Final[Any] = importlib.import_module("numba.core.ccallback")
_log: Final = logging.getLogger("polytape")


def compiled(options: dict[str, Any]) -> Callable[[F], F]:
    """Decorator like ``numba.njit(cache=True, **options)``; without the cache if that is unsafe or not writable."""

    def decorate(fn: F) -> F:
        function: Any = numba.njit(**options)(fn)
        function._cache = _cache_of(fn)
        return cast("F", function)

    return decorate


def compiled_pointer(fn: Callable[..., Any], signature: Any, options: dict[str, Any]) -> Any:
    """``fn`` as a C function of a numba signature, compiled or loaded now, like ``numba.cfunc``; see `compiled`.

    The result has the address of the code, which is valid as long as the result exists.
    """
    function: Any = _ccallback.CFunc(fn, (signature.args, signature.return_type), locals={}, options=options)
    function._cache = _cache_of(fn)
    function.compile()
    return function


def _cache_of(fn: Any) -> _Cache:
    try:
        found: Any = _caching.FunctionCache(fn)
    except RuntimeError:  # numba found no writable folder
        found = _caching.NullCache()
    else:
        # numba looks only at the age of the file that defines fn, but its code contains functions of other files.
        found._cache_file._source_stamp = _stamp_of(os.path.dirname(fn.__code__.co_filename))
    return _Cache(found if found.cache_path is None or _usable(found.cache_path) else _caching.NullCache())


@cache
def _stamp_of(folder: str) -> tuple[tuple[str, int, int], ...]:
    """The names, ages and sizes of a folder's sources: compiled code is loaded only if they are the same."""
    with os.scandir(folder) as entries:
        found = [(entry.name, entry.stat()) for entry in entries if entry.name.endswith(".py")]
    return tuple(sorted((name, status.st_mtime_ns, status.st_size) for name, status in found))


class _Cache:
    """What a numba function calls to load and save its compiled code, around numba's own cache.

    Failures to load or save are no errors: the function is compiled.
    """

    def __init__(self, inner: Any) -> None:
        self._inner: Final = inner
        self.cache_path: Final = inner.cache_path

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled code for a signature, or None if it must be compiled now."""
        found = None
        try:
            found = self._inner.load_overload(sig, target_context)
        except Exception as error:  # a damaged pickle raises errors of any type
            _log.info("numba's cache in %s is damaged, so its code is compiled again (%r)", self.cache_path, error)
            self._discard()
        if found is None:
            _announce(self.cache_path)
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save compiled code, if possible."""
        try:
            self._inner.save_overload(sig, data)
        except Exception as error:  # for example a full disk, or a damaged index
            _log.info("compiled code cannot be saved in %s (%r)", self.cache_path, error)
            self._discard()

    def flush(self) -> None:
        """Empty the cache."""
        self._inner.flush()

    def _discard(self) -> None:
        """Replace a damaged index by an empty one; if that is not possible, do without the cache."""
        try:
            self._inner.flush()
        except OSError:
            self._inner.disable()


@cache
def _announced() -> list[str]:
    return []


def _announce(folder: str | None) -> None:
    """Say once that compiling takes a while: as a warning of the logger, because an INFO message is not shown."""
    if not _announced():
        consequence = f"later runs load them from {folder}" if folder else "without a cache, every process does so"
        _announced().append(consequence)
        _log.warning("numba is compiling polytape's kernels, which takes about 2 s each; %s", consequence)


# --- Who can write to the cache ---


@cache
def _usable(folder: str) -> bool:
    """Whether the cache may be used; warns once if it may not."""
    reason = why_unsafe(folder)
    if reason:
        warnings.warn(
            f"numba's cache in {folder} is not used, because {reason}: whoever can write there could run code in this "
            "process. Each process compiles the kernels again, unless NUMBA_CACHE_DIR names a folder that only you can "
            "write to.",
            PolytapeWarning,
            stacklevel=2,
        )
    return not reason


def why_unsafe(folder: str) -> str:
    """Why others than this user and root could replace files in a folder; empty if they cannot."""
    if not hasattr(os, "getuid"):
        return ""  # Windows has no such modes, and its user folders are private
    last = path = os.path.realpath(folder)
    while True:
        status = os.stat(path)
        # In a folder with the sticky bit, such as /tmp, others can add files but not replace this user's folders.
        writable = 0 if path != last and status.st_mode & stat.S_ISVTX else status.st_mode
        if status.st_uid not in (0, os.getuid()):
            return f"{path} belongs to another user"
        if writable & stat.S_IWOTH:
            return f"every user can write to {path}"
        if writable & stat.S_IWGRP and _has_others(status.st_gid):
            return f"a group of users can write to {path}"
        parent = os.path.dirname(path)
        if parent == path:
            return ""
        path = parent


def _has_others(gid: int) -> bool:
    """Whether a group has members other than this user and root. Many systems give every user a group of their own."""
    import grp
    import pwd

    own = (0, os.getuid())
    try:
        names = {user.pw_name for user in pwd.getpwall() if user.pw_uid in own}
        members = grp.getgrgid(gid).gr_mem
    except KeyError:
        return True
    return not names.issuperset(members) or any(
        user.pw_gid == gid and user.pw_uid not in own for user in pwd.getpwall()
    )

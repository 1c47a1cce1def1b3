"""A plugin of asv, named in asv.conf.json: values of quick runs are not saved, and ``--python=same`` is one pass.

A quick run calls each benchmark once, cold. asv saves that beside the results of full runs, in whose graphs it looks
like a slowdown. A quick run also has the gate's panel of cases only, unless ``--bench`` chooses among all.

With ``--python=same``, asv makes a pass for each environment of the matrix, and labels it as that one, but all of them
run the polytape that is installed: here it is one pass, labelled with the ring that runs.
"""

from __future__ import annotations

import functools
import importlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, Final

__all__ = ["setup"]

SELECTION: Final = "ASV_POLYTAPE_CASES"  # an environment variable that `polytape_perf.suite` reads
_RING: Final = ("build", "POLYTAPE_COMPILE")
_ASK: Final = "from polytape import buildinfo; print(int(buildinfo.compiled()))"


def setup() -> None:
    """Change asv's commands; asv calls this when it loads the plugin."""
    environment: Any = importlib.import_module("asv.environment")
    for name in ("run", "continuous"):
        command = getattr(importlib.import_module(f"asv.commands.{name}"), name.capitalize())
        if not hasattr(command.run.__func__, "__wrapped__"):  # a plugin can be loaded twice
            command.run = classmethod(_unsaved_if_quick(command.run.__func__))
    if not hasattr(environment.get_environments, "__wrapped__"):
        environment.get_environments = _one_pass(environment.get_environments, environment.ExistingEnvironment)


def _unsaved_if_quick(run: Callable[..., Any]) -> Callable[..., Any]:
    """The command, with results in a temporary folder if the run is quick."""

    @functools.wraps(run)
    def wrapped(cls: Any, conf: Any, *args: Any, **kwargs: Any) -> Any:
        if not kwargs.get("quick"):
            return run(cls, conf, *args, **kwargs)
        kept, conf.results_dir = conf.results_dir, tempfile.mkdtemp(prefix="asv-quick-")
        if not kwargs.get("bench"):
            os.environ[SELECTION] = "panel"
        try:
            return run(cls, conf, *args, **kwargs)
        finally:
            os.environ.pop(SELECTION, None)
            shutil.rmtree(conf.results_dir, ignore_errors=True)
            conf.results_dir = kept
            print("This was a quick run: its values are not saved.")

    return wrapped


def _one_pass(environments: Callable[..., Iterator[Any]], existing: type) -> Callable[..., Iterator[Any]]:
    """The environments, with only one for each Python that exists already."""

    @functools.wraps(environments)
    def wrapped(*args: Any, **kwargs: Any) -> Iterator[Any]:
        seen = set()
        for found in environments(*args, **kwargs):
            if isinstance(found, existing):
                python = found._executable  # type: ignore[attr-defined]
                if python in seen:
                    continue
                seen.add(python)
                _label(found, python)
            yield found

    return wrapped


def _label(environment: Any, python: str) -> None:
    """Name the ring of an existing environment as that which runs in it."""
    if _RING not in environment._tagged_env_vars:
        return
    asked = subprocess.run([python, "-c", _ASK], capture_output=True, text=True, check=False)
    if asked.returncode:
        util: Any = importlib.import_module("asv.util")
        raise util.UserError(
            f"{python} cannot import polytape: {asked.stderr.strip().splitlines()[-1]}\n"
            "expected: the polytape to be measured, installed there\n"
            "fix: pip install it there, or leave out --python=same"
        )
    environment._tagged_env_vars[_RING] = asked.stdout.strip()

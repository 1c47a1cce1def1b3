"""Starts worker processes and asks them."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from polytape.errors import PolytapeError

__all__ = ["CaseError", "WorkerProcess", "environment", "use_cases"]

SCRIPT = Path(__file__).with_name("worker.py")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


class _More:
    """What the workers of this process load beside this package."""

    cases = ""


_more = _More()


def use_cases(file: str) -> None:
    """Let the workers that start from now on load the cases of a file too; "" for none."""
    _more.cases = file


class CaseError(PolytapeError):
    """A case fails on one side: it raises, or its result is wrong."""


def environment() -> dict[str, str]:
    """The environment of a worker: one thread, no settings of the caller, the same hashes in each process."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POLYTAPE_")}
    return {**kept, **dict.fromkeys(THREADS, "1"), "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}


def command(side: str, **settings: Any) -> list[str]:
    """The command that starts a worker."""
    settings = {"side": side, "extra_work": 0.0, "cases": _more.cases, **settings}
    return [sys.executable, str(SCRIPT), json.dumps(settings)]


class WorkerProcess:
    """A running worker; a context, at whose end the process ends.

    Args:
        side: the folder of a build, or "" for the polytape that is installed.
        extra_work: a share of more calls per turn.
    """

    def __init__(self, side: str, extra_work: float = 0.0) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command(side, extra_work=extra_work), stdin=pipe, stdout=pipe, text=True, bufsize=1, env=environment(),
            stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        with contextlib.suppress(BrokenPipeError), self.process:  # its input may hold what was not sent any more
            pass

    def ask(self, do: str, **arguments: Any) -> Any:
        """The answer to a request.

        Raises:
            CaseError: the work failed, or the process ended.
        """
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            line = self.process.stdout.readline()
        except OSError:  # it has ended
            line = ""
        what = " ".join(str(value) for value in (do, *arguments.values()))
        if not line:
            raise CaseError(f"{what}: the worker ended with status {self.process.wait()}.")
        answer = json.loads(line)
        if "error" in answer:
            raise CaseError(f"{what}: {answer['error']}")
        return answer["answer"]

"""The context manager that `GradientTape.stop_recording` returns."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Final

from ..errors import TapeError
from ..tensors.scope import current_scope

__all__ = ["StopRecording"]


class StopRecording:
    """Inside its ``with`` block, one tape does not record."""

    __slots__ = ("tape", "was_open")

    def __init__(self, tape: Any) -> None:
        self.tape: Final = tape
        self.was_open: bool = False

    def __enter__(self) -> None:
        scope = current_scope.get()
        self.was_open = self.tape in scope.tapes
        if scope.trace is not None and not self.was_open and not self.tape.closed:
            raise TapeError(
                f"stop_recording inside {scope.trace.what}, of a tape that is open around it.",
                expected="a tape that is opened inside",
                got="a tape around the call, which records what the call does as a whole",
                fix="apply polytape.stop_gradient to what must not be differentiated",
            )
        try:
            self.tape._pop()
        except BaseException:  # Ctrl-C; `with` does not call __exit__ if __enter__ raises
            self._resume()
            raise

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._resume()
        except BaseException:  # Ctrl-C
            self._resume()
            raise

    def _resume(self) -> None:
        if self.was_open and not self.tape.closed and self.tape not in current_scope.get().tapes:
            self.tape._push()

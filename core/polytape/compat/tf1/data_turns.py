"""The order of TensorFlow's ``interleave``: a dataset that ends gives its turn to the next one."""

from __future__ import annotations

from ...data.repeating import Interleave, InterleavedStream
from ...data.streams import Opening, Stream

__all__ = ["InterleaveByTurns"]


class InterleaveByTurns(Interleave):
    """As polytape's, but where a dataset ends, the next one is opened at the next turn only, not at once."""

    def describe(self) -> str:
        """As `Node.describe`."""
        return f"interleave_by_turns({self._cycle}, {self._block})"

    def stream(self, opening: Opening) -> Stream:
        """As `Node.stream`."""
        source = self.inputs[0].open(opening.input())
        return _ByTurns(source, self._function, self._cycle, self._block, opening)


class _ByTurns(InterleavedStream):
    def _end(self, stream: Stream) -> None:
        super()._end(stream)
        self._pass_on()

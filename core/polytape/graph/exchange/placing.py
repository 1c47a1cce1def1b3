"""Which values of a graph are on the host while the rest is on another device: those that only random ops read.

An op may keep an operand on the host (`Op.on_host`), such as the state of a generator. A file does not say which values
these are, so that a graph from one backend runs on any other: they follow from the ops.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ...registry.op import Op
from ..wiring import Port, Wiring

__all__ = ["Block", "Call", "Joined", "Path", "host_symbols", "inner", "placed"]

Path = tuple[int, ...]  # of a region: the position of its equation, its number there, and so on inwards; () outside


class Call(Protocol):
    """An equation whose symbols are numbers; an operand that is no integer is no symbol."""

    @property
    def op(self) -> Op:
        """The op."""

    @property
    def operands(self) -> tuple[Any, ...]:
        """Its operands."""

    @property
    def outputs(self) -> tuple[int, ...]:
        """The symbols that it defines."""


@dataclass(frozen=True, slots=True)
class Block:
    """The equations of a graph or of a region, in which symbols have numbers of their own.

    Attributes:
        inputs: how many symbols there are before those of the equations.
        calls: the equations, in order. outputs: the results.
    """

    inputs: int
    calls: tuple[Call | Joined, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """An equation with regions, whose symbols are numbers; an operand that is no integer is no symbol."""

    operands: tuple[Any, ...]
    outputs: tuple[int, ...]
    wiring: Wiring
    blocks: tuple[Block, ...]


def inner(block: Block, path: Path = ()) -> Iterator[tuple[Path, Block]]:
    """All regions in a block, regions in regions too, each with its path."""
    for position, call in enumerate(block.calls):
        for number, region in enumerate(call.blocks if isinstance(call, Joined) else ()):
            within = (*path, position, number)
            yield within, region
            yield from inner(region, within)


def placed(
    block: Block, arguments: int, read: int, assignments: Sequence[tuple[int, int]]
) -> dict[Path, frozenset[int]]:
    """The numbers of the symbols on the host, of a graph and of each of its regions.

    Args:
        block: the graph; its inputs are arguments, ``read`` variables, values of sources, constants.
        arguments, read: how many of them there are.
        assignments: pairs of a variable's number and a symbol.
    """
    flat = _Flat()
    flat.add(block, ())
    found = host_symbols(block.inputs, arguments, read, flat.calls, assignments, block.outputs, flat.ties)
    return {path: frozenset([x - known.start for x in found if x in known]) for path, known in flat.ranges.items()}


class _Shifted:
    """An equation of a region, with numbers that are unique in the whole graph."""

    def __init__(self, op: Op, operands: tuple[Any, ...], outputs: tuple[int, ...]) -> None:
        self.op = op
        self.operands = operands
        self.outputs = outputs


class _Flat:
    """All equations without regions, of a graph and of its regions.

    Attributes:
        calls: these equations. ties: pairs of symbols that are on the same device.
        ranges: the numbers of each block, by its path.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.ties: list[tuple[int, int]] = []
        self.ranges: dict[Path, range] = {}
        self.size = 0

    def add(self, block: Block, path: Path) -> int:
        """Add a block; returns the number of its first symbol."""
        first = self.size
        self.size += block.inputs + sum(len(call.outputs) for call in block.calls)
        self.ranges[path] = range(first, self.size)
        for position, call in enumerate(block.calls):
            operands = tuple([first + x if type(x) is int else x for x in call.operands])
            outputs = tuple([first + x for x in call.outputs])
            if isinstance(call, Joined):
                self.tie(call, operands, outputs, (*path, position))
            else:
                self.calls.append(_Shifted(call.op, operands, outputs))
        return first

    def tie(self, call: Joined, operands: tuple[Any, ...], outputs: tuple[int, ...], path: Path) -> None:
        """Add the regions of an equation, and what its wiring connects."""
        starts = [self.add(block, (*path, number)) for number, block in enumerate(call.blocks)]

        def symbol(port: Port) -> Any:
            if port.kind in ("operand", "result"):
                return (operands if port.kind == "operand" else outputs)[port.position]
            position = port.position
            return starts[port.region] + (
                position if port.kind == "argument" else call.blocks[port.region].outputs[position]
            )

        pairs = [(symbol(a), symbol(b)) for a, b in (*call.wiring.equal, *call.wiring.stacked)]
        self.ties += [(a, b) for a, b in pairs if type(a) is int and type(b) is int]


def host_symbols(
    inputs: int,
    arguments: int,
    read: int,
    calls: Sequence[Call],
    assignments: Sequence[tuple[int, int]],
    outputs: Sequence[int],
    ties: Sequence[tuple[int, int]] = (),
) -> frozenset[int]:
    """The numbers of the symbols on the host.

    Args:
        inputs: how many inputs there are: arguments, ``read`` variables, values of sources, constants.
        arguments, read: how many of them there are.
        calls: the equations, in order.
        assignments: pairs of a variable's number and a symbol.
        outputs: the results.
        ties: pairs of symbols that are on the same device.
    """
    if not any(call.op.host for call in calls):
        return frozenset()
    pairs = [(arguments + variable, symbol) for variable, symbol in assignments if variable < read]
    pairs += [pair for a, b in ties for pair in ((a, b), (b, a))]
    unread = {symbol for variable, symbol in assignments if variable >= read}
    found = _reaching(calls, pairs) - set(range(arguments)) - set(outputs) - unread
    while True:
        wrong = _misplaced(calls, pairs, found)
        if not wrong:
            return frozenset(found)
        found -= wrong


def _reaching(calls: Sequence[Call], pairs: Sequence[tuple[int, int]]) -> set[int]:
    """The symbols from which a chain of equations and assignments leads to an operand on the host."""
    found: set[int] = set()
    while True:
        before = len(found)
        for call in reversed(calls):
            whole = not found.isdisjoint(call.outputs)
            found |= {x for k, x in enumerate(call.operands) if type(x) is int and (whole or call.op.on_host(k))}
        found |= {symbol for variable, symbol in pairs if variable in found}
        if len(found) == before:
            return found


def _misplaced(calls: Sequence[Call], pairs: Sequence[tuple[int, int]], found: set[int]) -> set[int]:
    """The symbols among ``found`` that an equation or an assignment shares with a value outside."""
    wrong: set[int] = set()
    for call in calls:
        beside = [x for k, x in enumerate(call.operands) if type(x) is int and not call.op.on_host(k)]
        values = {*beside, *call.outputs}
        if not values <= found:
            wrong |= values & found
    for pair in pairs:
        if not set(pair) <= found:
            wrong |= set(pair) & found
    return wrong

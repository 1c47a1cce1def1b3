"""How the values of an equation with regions are connected to those of its regions.

Each kind of equation says it once, for a number of operands and results. A graph from a file is checked against it, and
which values are on the host follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Port", "Wiring", "arguments", "connected", "operands", "outputs", "results"]


class Port(NamedTuple):
    """A value of an equation, or of one of its regions.

    Attributes:
        kind: "operand" or "result" of the equation, "argument" or "output" of a region.
        position: among those of its kind.
        region: the number of the region; 0 for a value of the equation.
    """

    kind: str
    position: int
    region: int = 0

    def __str__(self) -> str:
        within = f" of region {self.region}" if self.kind in ("argument", "output") else ""
        return f"{self.kind} {self.position}{within}"


@dataclass(frozen=True, slots=True)
class Wiring:
    """The connections.

    Attributes:
        regions: for each region how many arguments and how many outputs it has.
        equal: pairs of values that have the same type and shape, and are on the same device.
        stacked: pairs on the same device, of which the first has ``length`` times the second along a first axis.
        predicates: values that are bool[].
    """

    regions: tuple[tuple[int, int], ...]
    equal: tuple[tuple[Port, Port], ...]
    stacked: tuple[tuple[Port, Port], ...] = ()
    length: int = 0
    predicates: tuple[Port, ...] = ()


def operands(first: int, count: int) -> list[Port]:
    """So many operands from the position ``first``."""
    return [Port("operand", first + k) for k in range(count)]


def results(first: int, count: int) -> list[Port]:
    """So many results from the position ``first``."""
    return [Port("result", first + k) for k in range(count)]


def arguments(first: int, count: int, region: int = 0) -> list[Port]:
    """So many arguments of a region from the position ``first``."""
    return [Port("argument", first + k, region) for k in range(count)]


def outputs(first: int, count: int, region: int = 0) -> list[Port]:
    """So many outputs of a region from the position ``first``."""
    return [Port("output", first + k, region) for k in range(count)]


def connected(*lists: list[Port]) -> tuple[tuple[Port, Port], ...]:
    """The pairs of the first list with each of the others, position by position."""
    return tuple([pair for other in lists[1:] for pair in zip(lists[0], other, strict=True)])

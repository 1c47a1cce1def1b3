"""Fusion: equations that depend on each other become one equation, which the backend compiles.

    before                                              after
    a: float32[n,m] = max(x, axis=-1, keepdims=True)    f: float32[n,m] = fused[max, subtract, exp, sum, divide](x)
    b: float32[n,m] = subtract(x, a)
    c: float32[n,m] = exp(b)
    d: float32[n,1] = sum(c, axis=-1, keepdims=True)
    f: float32[n,m] = divide(c, d)

A cluster is compiled by `Backend.compile`. It may decline, for example because small arrays are as fast one by one, or
because it cannot reduce: then the equations between the reductions are joined, or stay as they are. A function compiled
from a cluster gives the bits of its kernels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ...autodiff.several import Several
from ...backend import Backend, Cluster, Compiled, Kernel, Number, Step, Value
from ...registry.op import Op
from ...registry.resolution import Resolution
from ...registry.tensor_type import TensorType
from ...tensors.symbol import Symbol
from ..ir import Equation, Graph, Literal, unwrapped

__all__ = ["fused_equation", "fusion"]

MOST_STEPS = 64  # of a cluster: a program of any length is compiled in parts
MOST_READ = 8  # computed arrays: all exist until the cluster runs, while a sum of terms frees one after another


# Reductions that may be steps: along the last axis, or of all elements.
REDUCTIONS = frozenset({"max", "mean", "min", "sum"})


def fusion(graph: Graph) -> Graph:
    """The graph with clusters compiled by their backends: first those with reductions, then elementwise ones."""
    return _joined(_joined(graph, reductions=True), reductions=False)


def _joined(graph: Graph, *, reductions: bool) -> Graph:
    groups, uses = _Groups(graph, reductions), graph.uses()
    merged: dict[int, Equation | None] = {}
    for positions in groups.clusters():
        members = [graph.equations[position] for position in positions]
        if reductions and all(member.op.elementwise for member in members):
            continue
        fused = fused_equation(members, uses)
        if fused is not None:
            merged |= {position: None for position in positions}
            merged[positions[-1]] = fused
    if not merged:
        return graph
    return replace(graph, equations=tuple(_ordered(graph, merged)))


class _Groups:
    """Which equations form a cluster: the maximal ones that a walk in order finds without making a cycle.

    Attributes:
        group: the position of an equation -> the members of its cluster.
        rows: results of one element per row, which other steps of their cluster may read -> its members.
        ends: results of reductions that no step of their cluster may read.
    """

    def __init__(self, graph: Graph, reductions: bool) -> None:
        self.graph, self.reductions = graph, reductions
        self.producer = {
            symbol: position for position, equation in enumerate(graph.equations) for symbol in equation.outputs
        }
        self.group: dict[int, list[int]] = {}  # position of an equation -> the members of its cluster
        self.found: dict[int, list[int]] = {}  # by id: each cluster, in order
        self.reads: dict[int, set[Symbol]] = {}  # by id of a cluster: the computed arrays that it reads
        self.rows: dict[Symbol, list[int]] = {}
        self.ends: set[Symbol] = set()
        self.open: dict[Any, list[int]] = {}

    def clusters(self) -> list[list[int]]:
        """The members of each cluster with two equations or more."""
        for position, equation in enumerate(self.graph.equations):
            if not joinable(equation):
                continue
            output = equation.outputs[0]
            if equation.op.elementwise:
                members = self.of_rows(equation)
                if members is not None:
                    self.rows[output] = members
                else:
                    members = self.opened(equation, output.shape)
            elif self.reductions and _reduces(equation):
                members = self.opened(equation, next(equation.symbols()).shape)
                if output.shape == row_shape(next(equation.symbols()).shape):
                    self.rows[output] = members
                else:
                    self.ends.add(output)
            else:
                continue
            self.reads.setdefault(id(members), set()).update(self.read(equation, members))
            members.append(position)
            self.group[position] = members
            self.found[id(members)] = members
        parts = [part for members in self.found.values() for part in self.connected(members)]
        return [part for part in parts if len(part) > 1]

    def connected(self, members: list[int]) -> list[list[int]]:
        """The parts of a cluster of which none needs another one's results.

        To compute arrays together that do not depend on each other saves little: a common operand is read once. It
        takes memory, since the operands of all exist until the last is there, and kernels cannot write over them.
        """
        equations = self.graph.equations
        inside = {symbol for position in members for symbol in equations[position].outputs}
        parts: list[tuple[list[int], set[Symbol]]] = []
        for position in members:
            arrays = {*equations[position].outputs, *inside.intersection(equations[position].symbols())}
            touched = [part for part in parts if not part[1].isdisjoint(arrays)]
            parts = [part for part in parts if part[1].isdisjoint(arrays)]
            joined = [*(k for positions, _ in touched for k in positions), position]
            parts.append((sorted(joined), arrays.union(*(part[1] for part in touched))))
        return [positions for positions, _ in parts]

    def of_rows(self, equation: Equation) -> list[int] | None:
        """The open cluster with one element per row that an elementwise equation belongs to."""
        for symbol in equation.symbols():
            members = self.rows.get(symbol)
            if members is not None and symbol.shape == equation.outputs[0].shape and self.may_join(equation, members):
                return members if any(members is x for x in self.open.values()) else None
        return None

    def opened(self, equation: Equation, shape: tuple[int, ...]) -> list[int]:
        """The cluster of arrays of this shape that an equation may join, or a new one."""
        key = (equation.resolution.result_types[0].device, shape)
        members = self.open.get(key)
        if members is None or not self.may_join(equation, members):
            members = self.open[key] = []
        return members

    def may_join(self, equation: Equation, members: list[int]) -> bool:
        """Whether a cluster may take another step, which needs nothing that must wait for the cluster's end."""
        if len(members) >= MOST_STEPS or self.reaches(equation, members):
            return False
        if any(x in self.ends and self.group[self.producer[x]] is members for x in equation.symbols()):
            return False
        return len(self.reads.get(id(members), set()) | self.read(equation, members)) <= MOST_READ

    def read(self, equation: Equation, members: list[int]) -> set[Symbol]:
        """The computed arrays from outside a cluster that an equation reads."""
        computed = {symbol for symbol in equation.symbols() if symbol.shape and symbol in self.producer}
        return {symbol for symbol in computed if self.group.get(self.producer[symbol]) is not members}

    def reaches(self, equation: Equation, members: list[int]) -> bool:
        """Whether an operand from outside the cluster depends on it: merging would then make a cycle."""
        first = self.first(members)
        pending = [p for p in self.operands(equation) if self.group.get(p) is not members]
        seen: set[int] = set()
        while pending:
            position = pending.pop()
            if position < first or position in seen:
                continue
            seen.add(position)
            group = self.group.get(position, [position])
            if group is members:
                return True
            for member in group:
                seen.add(member)
                pending += self.operands(self.graph.equations[member])
        return False

    def first(self, members: list[int]) -> int:
        """The position before which nothing depends on a cluster, not even through other ones.

        A cluster that began earlier may have got a member that depends on this one: then all of it does.
        """
        first = members[0]
        while True:
            earlier = min([found[0] for found in self.found.values() if found[-1] >= first])
            if earlier >= first:
                return first
            first = earlier

    def operands(self, equation: Equation) -> list[int]:
        """The positions of the equations that compute the operands."""
        return [self.producer[symbol] for symbol in equation.symbols() if symbol in self.producer]


def joinable(equation: Equation) -> bool:
    """Whether an equation may be a step: one kernel computes it for all operands, on a backend that compiles."""
    resolution = equation.resolution
    known = equation.op.elementwise or equation.op.name in REDUCTIONS
    if not known or len(equation.outputs) != 1 or len(resolution.candidates) != 1:
        return False
    kernel = resolution.candidates[0]
    if kernel.writes or not kernel.fresh or None in equation.operands:
        return False
    result = resolution.result_types[0]
    if result.backend.compile is None or (equation.op.elementwise and not equation.outputs[0].shape):
        return False
    # A kernel within a wrapper has a predicate, converts operands, or needs the shapes of the whole arrays.
    return unwrapped(equation)[0] is kernel.fn and all(
        operand_type is not None and operand_type.device is result.device for operand_type in resolution.operand_types
    )


def row_shape(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of one element per row of an array with rows."""
    return (*shape[:-1], 1)


def _reduces(equation: Equation) -> bool:
    """Whether a reduction is one along the last axis of several elements, or of all elements."""
    operand = equation.operands[0]
    if not isinstance(operand, Symbol) or not operand.shape or operand.shape[-1] < 2:
        return False
    rank, axis = len(operand.shape), equation.attributes.get("axis")
    axes = {k % rank for k in (range(rank) if axis is None else axis if isinstance(axis, tuple) else (axis,))}
    return axes in ({rank - 1}, set(range(rank)))


def fused_equation(members: list[Equation], uses: Counter[Symbol]) -> Equation | None:
    """One equation for a cluster; None if the backend does not compile it, or nothing outside it uses a result.

    Args:
        members: the equations of the cluster, in order.
        uses: `Graph.uses` of their graph, counted once for all of its clusters.
    """
    inside = {equation.outputs[0] for equation in members}
    inputs = list(dict.fromkeys(x for equation in members for x in equation.symbols() if x not in inside))
    used_inside = Counter(x for equation in members for x in equation.symbols())
    outputs = [x for x in (equation.outputs[0] for equation in members) if uses[x] > used_inside[x]]
    if not outputs:
        return None  # dead code, which another pass removes
    types = {equation.outputs[0]: equation.resolution.result_types[0] for equation in members}
    input_types = _types_of(inputs, members)
    cluster = _cluster(members, inputs, outputs)
    backend = types[members[0].outputs[0]].backend
    compiled = _compiled(backend, cluster)
    if compiled is None:
        return None
    op = _op(members, cluster, compiled)
    result_types = tuple(types[symbol] for symbol in outputs)
    kernel = Kernel(op.name, compiled, fresh=True, out=getattr(compiled, "out", False))
    resolution = Resolution(compiled, None, input_types, result_types, (kernel,), "compiled")
    return Equation(op, resolution, tuple(inputs), {}, tuple(outputs), members[-1].source, tuple(members))


def _compiled(backend: Backend, cluster: Cluster) -> Compiled | None:
    """What the backend makes of a cluster, or else one that it extends, whose arrays are the same."""
    for compile_cluster in dict.fromkeys(owner.compile for owner in backend.chain() if owner.compile is not None):
        compiled: Compiled | None = compile_cluster(cluster)
        if compiled is not None:
            return compiled
    return None


def _types_of(inputs: list[Symbol], members: list[Equation]) -> tuple[TensorType, ...]:
    """The types of the operands from outside."""
    types = {
        operand: tensor_type
        for equation in members
        for operand, tensor_type in zip(equation.operands, equation.resolution.operand_types, strict=True)
        if isinstance(operand, Symbol) and tensor_type is not None
    }
    return tuple(types[symbol] for symbol in inputs)


def _cluster(members: list[Equation], inputs: list[Symbol], outputs: list[Symbol]) -> Cluster:
    number = {symbol: position for position, symbol in enumerate(inputs)}
    steps = []
    for equation in members:
        kernel, attributes = unwrapped(equation)
        operands = tuple(
            Number(x.value, x.type.dtype, x.array()) if isinstance(x, Literal) else number[x]
            for x in equation.operands
            if x is not None
        )
        result = equation.outputs[0]
        checked = attributes.pop("spec", None) is None
        out = equation.resolution.candidates[0].out and not attributes
        value = Value(result.shape, result.dtype)
        steps.append(Step(equation.op.name, operands, attributes, value, kernel, out, checked))
        number[result] = len(number)
    first = members[0].outputs[0] if members[0].op.elementwise else next(members[0].symbols())
    return Cluster(
        first.shape,
        members[0].resolution.result_types[0].device,
        tuple(Value(symbol.shape, symbol.dtype) for symbol in inputs),
        tuple(steps),
        tuple(number[symbol] for symbol in outputs),
    )


def _op(members: list[Equation], cluster: Cluster, compiled: Compiled) -> Op:
    """The op of a fused equation, with the rules that the checker needs."""
    names = tuple(f"x{position}" for position in range(len(cluster.inputs)))
    op = Op(f"fused[{', '.join(equation.op.name for equation in members)}]", compiled, names, names, len(names))
    several = len(cluster.outputs) > 1
    results = [cluster.steps[number - len(cluster.inputs)].result for number in cluster.outputs]
    shapes, dtypes = tuple(result.shape for result in results), tuple(result.dtype for result in results)
    op.outputs = Several if several else None
    op.shape_rule = lambda *_: shapes if several else shapes[0]
    op.dtype_rule = lambda *_: dtypes if several else dtypes[0]
    return op


def _ordered(graph: Graph, merged: dict[int, Equation | None]) -> Iterator[Equation]:
    """The equations in an order in which they can run: a fused one comes where the first of its users needs it."""
    equations: list[Equation] = []
    for position, equation in enumerate(graph.equations):
        replacement = merged.get(position, equation)
        if replacement is not None:
            equations.append(replacement)
    producer = {symbol: equation for equation in equations for symbol in equation.outputs}
    done: set[Equation] = set()
    for equation in equations:
        pending = [equation]
        while pending:
            last = pending[-1]
            needed = [producer[x] for x in last.symbols() if x in producer and producer[x] not in done]
            if last in done:
                pending.pop()
            elif needed:
                pending += needed
            else:
                done.add(last)
                pending.pop()
                yield last

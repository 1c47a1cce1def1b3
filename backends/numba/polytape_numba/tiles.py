"""The source of the loop of a cluster: tiles, and the levels of steps within one.

A value has one element per element of a tile, or one per row (a reduction along the last axis, and what is computed of
it). The rows of a cluster with such values are not divided.
"""

from __future__ import annotations

import math
from typing import Any, Final

from polytape.backend import Cluster, Number

__all__ = ["BLOCK", "TILE", "Kind", "LoopSource"]

# ("body", its text), ("numpy", a universal function), ("numba", the name of one), or ("rows" or "all", a reduction)
Kind = tuple[str, Any]

TILE: Final = 2048  # elements: ten arrays of float32 fit into the first-level cache and leave room
BLOCK: Final = 512  # elements that the kernels of sums add in the array's own dtype, from the first element on


class LoopSource:
    """The source of a cluster's loop.

    A value is written to memory if another level needs it, or a function, or if it is an output: as an array ``t`` of a
    tile's size, or as the part of the output.
    """

    def __init__(self, cluster: Cluster, dtypes: list[Any], kinds: list[Kind]) -> None:
        self.cluster, self.dtypes, self.kinds = cluster, dtypes, kinds
        self.count = len(cluster.inputs)
        shape, inputs = self.merged()
        rank = max(2, len(shape))
        *self.outer, self.rows, self.columns = [1, 1, *shape][-rank:]
        self.shapes = [[1, 1, *x][-rank:] for x in inputs]
        full = [*self.outer, self.rows, self.columns]
        # Whether a value has one element per row, or less.
        self.by_row = [x != full and x[-1] == 1 for x in self.shapes]
        self.by_row += [step.result.shape != cluster.shape for step in cluster.steps]
        self.size = max(TILE, self.columns) if self.has_rows else TILE
        self.levels = self.level_of_each()
        self.stored = self.stored_values()
        self.slots: list[str] = []  # the dtype of each array t
        self.free: list[int] = []
        self.memory: dict[int, str] = {}  # the array of a value in memory
        self.functions: list[tuple[str, Any, Any]] = []  # in the order of their addresses

    @property
    def has_rows(self) -> bool:
        """Whether a step reduces rows."""
        return any(kind == "rows" for kind, _ in self.kinds)

    def merged(self) -> tuple[tuple[int, ...], list[tuple[int, ...]]]:
        """The shape and those of the inputs with as few axes as possible; rows that are reduced keep theirs."""
        cluster = self.cluster
        if not self.has_rows:
            return cluster.merged()
        row = cluster.inputs[0]._replace(shape=(*cluster.shape[:-1], 1))
        shape, inputs = cluster._replace(inputs=(*cluster.inputs, row)).merged()
        return shape, inputs[:-1]

    def level_of_each(self) -> list[int]:
        """For each value the level at which it is known; a function or a reduction adds one."""
        levels = [0] * self.count
        for step, (kind, _) in zip(self.cluster.steps, self.kinds, strict=True):
            level = max([levels[x] for x in step.operands if not isinstance(x, Number)], default=0)
            levels.append(level + (kind != "body"))
        return levels

    def stored_values(self) -> set[int]:
        """The results of steps that are written to memory."""
        stored = set(self.cluster.outputs)
        for number, step in enumerate(self.cluster.steps, start=self.count):
            kind = self.kinds[number - self.count][0]
            if kind != "body" or self.by_row[number]:
                stored.add(number)
            stored.update(
                x
                for x in step.operands
                if not isinstance(x, Number) and (kind != "body" or self.levels[x] < self.levels[number])
            )
        return {x for x in stored if x >= self.count}

    def last_levels(self) -> dict[int, int]:
        """For each value the last level that reads it."""
        last: dict[int, int] = {}
        for number, step in enumerate(self.cluster.steps, start=self.count):
            reading = self.levels[number] - (self.kinds[number - self.count][0] != "body")
            for x in step.operands:
                if not isinstance(x, Number):
                    last[x] = max(last.get(x, 0), reading)
        return last

    def text(self) -> str:
        """The source of the function ``cluster(addresses, *inputs, *outputs)``."""
        body = self.body()
        names = [f"x{k}" for k in range(self.count)] + [f"y{k}" for k in range(len(self.cluster.outputs))]
        lines = [f"def cluster({', '.join(['addresses', *names])}):"]
        lines += [f"    t{k} = empty({self.size}, {dtype})" for k, dtype in enumerate(self.slots)]
        lines += ["    operands = empty(4, intp)", "    count = empty(1, intp)"]
        lines += [f"    {line}" for line in (*self.numbers(), *self.steps_in_bytes(), *self.totals())]
        indent = "    "
        for axis, length in enumerate(self.outer):
            lines.append(f"{indent}for i{axis} in range({length}):")
            indent += "    "
        lines += [f"{indent}{line}" for line in self.tile(body)]
        lines += [f"    {line}" for line in self.results_of_totals()]
        return "\n".join(lines)

    def numbers(self) -> list[str]:
        """Definitions of the numbers among the operands."""
        return [
            f"n{index}_{position} = {_number(operand)}"
            for index, step in enumerate(self.cluster.steps)
            for position, operand in enumerate(step.operands)
            if isinstance(operand, Number)
        ]

    def steps_in_bytes(self) -> list[str]:
        """Definitions of the steps that functions take between elements, by the size of an element."""
        sizes = sorted({dtype.itemsize for _, _, dtype in self.functions})
        return [f"by{size} = full(4, {size}, intp)" for size in sizes]

    def tile(self, body: list[str]) -> list[str]:
        """The loops over the tiles: of whole rows, or of a part of one."""
        rows, columns = self.rows, self.columns
        lines: list[str] = []
        if columns <= self.size:
            height = self.height()
            lines.append(f"for r0 in range(0, {rows}, {height}):")
            lines += [f"    rows = min({height}, {rows} - r0)", "    c0, columns = 0, " + str(columns)]
            inner = "    "
        else:
            lines += [f"for r0 in range({rows}):", "    rows = 1", f"    for c0 in range(0, {columns}, {self.size}):"]
            lines.append(f"        columns = min({self.size}, {columns} - c0)")
            inner = "        "
        start = self.offset([*self.outer, rows, columns])
        lines += [f"{inner}m = rows * columns", f"{inner}o = {start}", f"{inner}p = o + m"]
        if any(self.by_row[self.count :]):
            row = self.offset([*self.outer, rows, 1])
            lines += [f"{inner}orow = {row}", f"{inner}prow = orow + rows"]
        return lines + [f"{inner}{line}" for line in body]

    def height(self) -> int:
        """How many rows a tile has."""
        return max(1, self.size // self.columns)

    def offset(self, shape: list[int]) -> str:
        """Where an input of this shape has the first element of a tile."""
        *outer, rows, columns = shape
        terms, stride = [], 1
        if columns > 1:
            terms.append("c0")
        stride = columns
        if rows > 1:
            terms.append(f"r0 * {stride}")
        stride *= rows
        for axis in reversed(range(len(outer))):
            if outer[axis] > 1:
                terms.append(f"i{axis} * {stride}")
            stride *= outer[axis]
        return " + ".join(terms) or "0"

    def body(self) -> list[str]:
        """The lines of one tile."""
        lines: list[str] = []
        last = self.last_levels()
        for level in range(max(self.levels) + 1):
            members = [
                number
                for number in range(self.count, len(self.levels))
                if self.levels[number] == level and self.kinds[number - self.count][0] == "body"
            ]
            for number in members:
                if number in self.stored:
                    self.place(number)
            # Values of rows first: other steps of this level may read them.
            for by_row in (True, False):
                some = [number for number in members if self.by_row[number] == by_row]
                lines += self.loop(some, by_row) if some else []
            for number in range(self.count, len(self.levels)):
                kind = self.kinds[number - self.count][0]
                if self.levels[number] == level + 1 and kind != "body":
                    emit = {"rows": self.reduction, "all": self.total}.get(kind, self.function)
                    lines += emit(number)
            for x, array in list(self.memory.items()):  # not before: an array is not read and written in one loop
                if array.startswith("t") and last.get(x, -1) <= level:
                    del self.memory[x]
                    self.free.append(int(array[1:]))
        return lines

    def place(self, number: int) -> None:
        """Choose the array that a value is written to."""
        if number in self.cluster.outputs:
            self.memory[number] = f"y{self.cluster.outputs.index(number)}"
            return
        dtype = _name(self.dtypes[number])
        found = next((slot for slot in self.free if self.slots[slot] == dtype), None)
        if found is None:
            found = len(self.slots)
            self.slots.append(dtype)
        else:
            self.free.remove(found)
        self.memory[number] = f"t{found}"

    def slice_of(self, x: int) -> str:
        """The part of a value in memory that belongs to a tile."""
        array = f"x{x}" if x < self.count else self.memory[x]
        start, stop, length = ("orow", "prow", "rows") if self.by_row[x] else ("o", "p", "m")
        return f"{array}[:{length}]" if array.startswith("t") else f"{array}[{start}:{stop}]"

    def is_full(self, x: int) -> bool:
        """Whether an input has all elements of the cluster's shape."""
        return self.shapes[x] == [*self.outer, self.rows, self.columns]

    def loop(self, members: list[int], of_rows: bool) -> list[str]:
        """A loop that computes these steps for each element of a tile, or for each row."""
        read = dict.fromkeys(
            x for number in members for x in self.operands(number) if x not in members or x < self.count
        )
        written = [number for number in members if number in self.stored]
        by_rows = not of_rows and any(
            self.by_row[x] if x >= self.count else not self.is_full(x) and self.shapes[x][-2:] != [1, 1] for x in read
        )
        before: list[str] = []
        of_row: list[str] = []
        local: dict[int, str] = {}
        for x in read:
            if of_rows:
                before.append(
                    f"b{x} = {self.slice_of(x) if x >= self.count else f'x{x}[{self.offset(self.shapes[x])} :]'}"
                )
                local[x] = f"b{x}[j]" if x >= self.count or self.shapes[x][-2] > 1 else f"b{x}[0]"
            else:
                self.reading(x, by_rows, before, of_row, local)
        for number in written:
            array = f"w{number}"
            before.append(f"{array} = {self.slice_of(number)}")
            if by_rows:
                of_row.append(f"{array}r = {array}[q : q + columns]")
        inner = []
        for number in members:
            step = self.cluster.steps[number - self.count]
            texts = [
                f"n{number - self.count}_{position}" if isinstance(x, Number) else local[x]
                for position, x in enumerate(step.operands)
            ]
            dtype = _name(next(x.dtype if isinstance(x, Number) else self.dtypes[x] for x in step.operands))
            numbers = {"zero": f"{dtype}(0)", "one": f"{dtype}(1)", "infinite": f"{dtype}(inf)"}
            inner.append(f"v{number} = {self.kinds[number - self.count][1].format(*texts, **numbers)}")
            local[number] = f"v{number}"
            if number in written:
                inner.append(f"w{number}{'r' if by_rows else ''}[j] = v{number}")
        if not by_rows:
            return [*before, f"for j in range({'rows' if of_rows else 'm'}):", *[f"    {line}" for line in inner]]
        return [
            *before,
            "for r in range(rows):",
            "    q = r * columns",
            *[f"    {line}" for line in of_row],
            "    for j in range(columns):",
            *[f"        {line}" for line in inner],
        ]

    def operands(self, number: int) -> list[int]:
        """The values that a step reads."""
        return [x for x in self.cluster.steps[number - self.count].operands if not isinstance(x, Number)]

    def reading(self, x: int, by_rows: bool, before: list[str], of_row: list[str], local: dict[int, str]) -> None:
        """Add the lines that prepare the reading of a value in a loop."""
        if x >= self.count and self.by_row[x]:
            before.append(f"b{x}s = {self.slice_of(x)}")
            of_row.append(f"b{x} = b{x}s[r]")
            local[x] = f"b{x}"
            return
        if x >= self.count or self.is_full(x):
            before.append(f"b{x} = {self.slice_of(x)}")
            if by_rows:
                of_row.append(f"b{x}r = b{x}[q : q + columns]")
            local[x] = f"b{x}r[j]" if by_rows else f"b{x}[j]"
            return
        rows, columns = self.shapes[x][-2:]
        before.append(f"o{x} = {self.offset(self.shapes[x])}")
        if columns > 1:
            start = f"o{x} + q" if rows > 1 else f"o{x}"
            of_row.append(f"b{x}r = x{x}[{start} : {start} + columns]")
            local[x] = f"b{x}r[j]"
        elif rows > 1:
            of_row.append(f"b{x} = x{x}[o{x} + r]")
            local[x] = f"b{x}"
        else:
            before.append(f"b{x} = x{x}[o{x}]")
            local[x] = f"b{x}"

    def function(self, number: int) -> list[str]:
        """The call of an inner loop for a tile."""
        lines: list[str] = []
        size, index = self.dtypes[number].itemsize, len(self.functions)
        self.functions.append((*self.kinds[number - self.count], self.dtypes[number]))
        self.place(number)
        by_row = self.by_row[number]
        for position, x in enumerate((*self.operands(number), number)):
            array = f"x{x}" if x < self.count else self.memory[x]
            start = "" if array.startswith("t") else f" + {'orow' if by_row else 'o'} * {size}"
            lines.append(f"operands[{position}] = {array}.ctypes.data{start}")
        lines += [
            f"count[0] = {'rows' if by_row else 'm'}",
            f"call(addresses[{2 * index}], addresses[{2 * index + 1}], operands, count, by{size})",
        ]
        return lines

    # --- Reductions, by the code of their kernels ---

    def reduction(self, number: int) -> list[str]:
        """The reduction of each row of a tile."""
        (operand,) = self.operands(number)
        self.place(number)
        text = {"max": "row_max({0})", "mean": "row_sum({0}) / columns", "min": "row_min({0})", "sum": "row_sum({0})"}
        row = "v[r * columns : r * columns + columns]"
        return [
            f"v = {self.slice_of(operand)}",
            f"w = {self.slice_of(number)}",
            "for r in range(rows):",
            f"    w[r] = {text[self.kinds[number - self.count][1]].format(row)}",
        ]

    def totals(self) -> list[str]:
        """What the reductions of all elements start with."""
        lines = []
        for number, name in self.of_all():
            if name in ("max", "min"):
                tiles = math.prod(self.outer) * -(-self.rows // self.height()) * -(-self.columns // self.size)
                lines += [f"a{number} = empty({tiles}, {_name(self.dtypes[number])})", f"k{number} = 0"]
            else:
                lines.append(f"a{number} = 0.0")
        return lines

    def of_all(self) -> list[tuple[int, str]]:
        """The numbers and names of the reductions of all elements."""
        return [(self.count + k, name) for k, (kind, name) in enumerate(self.kinds) if kind == "all"]

    def total(self, number: int) -> list[str]:
        """The part of a reduction of all elements that belongs to a tile."""
        name, (operand,) = self.kinds[number - self.count][1], self.operands(number)
        lines = [f"v = {self.slice_of(operand)}"]
        if name in ("max", "min"):
            return [*lines, f"a{number}[k{number}] = row_{name}(v)", f"k{number} += 1"]
        return [*lines, f"for k in range(0, m, {BLOCK}):", f"    a{number} += block_sum(v[k : k + {BLOCK}])"]

    def results_of_totals(self) -> list[str]:
        """The results of the reductions of all elements."""
        count = math.prod(self.outer) * self.rows * self.columns
        texts = {"max": "row_max({0})", "mean": f"{{0}} / {count}", "min": "row_min({0})", "sum": "{0}"}
        return [
            f"y{self.cluster.outputs.index(number)}[0] = {texts[name].format(f'a{number}')}"
            for number, name in self.of_all()
        ]


def _name(dtype: Any) -> str:
    return "bool_" if dtype.char == "?" else str(dtype.name)


def _number(operand: Number) -> str:
    return f"{_name(operand.dtype)}({operand.value!r})"  # inf and nan are names in the source's namespace

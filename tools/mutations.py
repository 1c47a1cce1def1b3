"""Small faults for Python modules, one at a time, on the syntax tree; see tools/mutate_kernels.py.

A mutation replaces one node: an operator, a comparison, a constant, the order or number of arguments, a keyword, the
name of a function, a branch, a statement. Annotations, docstrings, imports and the texts of errors are left alone, and
so are promises that only save time (`KEPT`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, Final

__all__ = ["Mutation", "mutations"]

# Keywords that change nothing but time: who leaves them out gets the same numbers.
KEPT: Final = ("fresh", "out", "copy", "strict", "order", "optimize", "maxsize")

_OPERATORS: Final[dict[type, type]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd,
}  # fmt: skip
_COMPARISONS: Final[dict[type, tuple[type, ...]]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}  # fmt: skip
# Each name is replaced by the next one, a function that takes the same arguments.
_RINGS: Final = (
    "maximum minimum", "max min", "argmax argmin", "any all", "add subtract", "multiply divide", "sin cos", "tan tanh",
    "exp expm1", "exp2 exp", "log log1p", "log2 log10", "floor ceil", "trunc floor", "rint trunc", "sqrt cbrt",
    "square abs", "absolute negative", "zeros ones", "cumsum cumprod", "sum prod", "isnan isinf", "isfinite isnan",
    "left_shift right_shift", "logical_and logical_or logical_xor", "bitwise_and bitwise_or bitwise_xor",
    "greater greater_equal less less_equal", "equal not_equal", "real imag", "arcsin arccos", "arctan arcsinh",
    "acos asin", "asinh atan", "sinh cosh", "gcd lcm", "logaddexp maximum", "copysign nextafter", "fft ifft",
    "rfft irfft", "tril triu", "negative absolute", "sign negative", "power multiply", "acosh atanh", "atan2 hypot",
    "hypot copysign", "floor_divide fmod", "fmod remainder", "cbrt sqrt", "log1p log", "expm1 exp", "tanh tan",
    "signbit isnan", "logical_not isfinite", "nextafter copysign", "abs negative",
)  # fmt: skip
_OTHER: Final = {
    name: other
    for ring in _RINGS
    for name, other in zip(ring.split(), [*ring.split()[1:], ring.split()[0]], strict=True)
    if name == ring.split()[0] or len(ring.split()) > 2 or ring.split()[1] not in {r.split()[0] for r in _RINGS}
}
_DTYPES: Final = {
    "float32": "float64", "float64": "float32", "complex64": "complex128", "complex128": "complex64",
    "int32": "int64", "int64": "int32", "uint32": "uint64", "uint64": "uint32", "float16": "float32",
    "int8": "int16", "int16": "int8", "bfloat16": "float16",
}  # fmt: skip
_AROUND: Final = 40  # letters of a statement that are shown before and behind the fault
# Methods whose call may be left out: what they are called on has the same shape.
_DROPPED_CALLS: Final = ("astype", "copy", "conj", "clip")


class Mutation:
    """One fault.

    Attributes:
        parent: the node in which one is replaced.
        field: the attribute of ``parent`` that holds it.
        index: its position, if that attribute is a list; otherwise None.
        node: what it is replaced by; None removes it from the list.
        lines: the numbers of the lines that run it.
        function: those of the function in which kernels are made, if it is in one; otherwise none.
        text: the function, and the statement before and after.
    """

    __slots__ = ("field", "function", "index", "lines", "node", "parent", "text")

    def __init__(self, parent: ast.AST, field: str, index: int | None, node: Any) -> None:
        self.parent, self.field, self.index, self.node = parent, field, index, node
        self.lines = self.function = range(0)
        self.text = ""

    def apply(self) -> Any:
        """Change the tree; the result is what `revert` needs."""
        held = getattr(self.parent, self.field)
        if self.index is None:
            setattr(self.parent, self.field, self.node)
            return held
        before = list(held)
        held[self.index : self.index + 1] = [] if self.node is None else [self.node]
        return before

    def revert(self, before: Any) -> None:
        """Undo `apply`."""
        if self.index is None:
            setattr(self.parent, self.field, before)
        else:
            getattr(self.parent, self.field)[:] = before


def mutations(tree: ast.Module) -> list[Mutation]:
    """All mutations of a module, in the order of its lines, each with a text of its own."""
    found = []
    for statement, function in _statements(tree, ""):
        for mutation in _of_statement(statement):
            before = mutation.apply()
            try:
                changed = _head(statement)
            finally:
                mutation.revert(before)
            original = _head(statement)
            if changed != original:
                mutation.lines = _span(statement)
                mutation.text = f"{function}: {difference(original, changed)}"
                found.append(mutation)
    every = [*_unique(found), *_removed(tree)]
    for mutation in every:
        for outer in tree.body:
            if isinstance(outer, ast.FunctionDef) and outer.name != "kernels":
                whole = range(outer.lineno, _end(outer) + 1)
                if mutation.lines[0] in whole:
                    mutation.function = whole
    return every


def difference(before: str, after: str) -> str:
    """What differs between two lines, as ``{before => after}``, with some of what is around it."""
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    while start and (before[start - 1].isalnum() or before[start - 1] in "_.=<>!"):
        start -= 1
    while end and (before[-end].isalnum() or before[-end] in "_.=<>!"):
        end -= 1
    stop, changed = len(before) - end, after[start : len(after) - end]
    lead = before[:start] if start <= _AROUND else f"...{before[start - _AROUND : start]}"
    tail = before[stop:] if end <= _AROUND else f"{before[stop : stop + _AROUND]}..."
    return f"{lead}{{{before[start:stop]} => {changed}}}{tail}"


def _common(a: str, b: str) -> int:
    """The length of the common beginning."""
    return next((k for k, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _unique(found: list[Mutation]) -> Iterator[Mutation]:
    seen: dict[str, int] = {}
    for mutation in found:
        if mutation.text not in seen:
            yield mutation
        seen[mutation.text] = 1


def _statements(node: Any, function: str) -> Iterator[tuple[ast.stmt, str]]:
    """The statements that may be changed, each with the function that it is in."""
    for child in getattr(node, "body", []) + getattr(node, "orelse", []) + getattr(node, "finalbody", []):
        if isinstance(child, ast.FunctionDef):
            yield child, child.name
            yield from _statements(child, child.name)
        elif not _is_left_alone(child):
            yield child, function or "module"
            yield from _statements(child, function)
    for handler in getattr(node, "handlers", []):
        yield from _statements(handler, function)


def _all_statements(node: ast.AST, function: str) -> Iterator[tuple[ast.stmt, str]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield child, function
        yield from _all_statements(child, child.name if isinstance(child, ast.FunctionDef) else function)


def _is_left_alone(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Import | ast.ImportFrom | ast.Pass | ast.ClassDef | ast.Raise | ast.Nonlocal):
        return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return True  # a docstring
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    # __all__, and aliases of types, such as Array.
    return isinstance(target, ast.Name) and (
        target.id == "__all__" or (target.id[0].isupper() and not target.id.isupper())
    )


def _head(statement: ast.stmt) -> str:
    """A statement without what it contains."""
    text = ast.unparse(statement)
    if isinstance(statement, ast.FunctionDef):
        return next(line for line in text.splitlines() if line.startswith("def ")).split(" -> ")[0]
    return text.splitlines()[0] if hasattr(statement, "body") else text


def _end(node: Any) -> int:
    return int(node.end_lineno)


def _span(statement: Any) -> range:
    """The lines of a statement without those of the statements in it; of a function, those."""
    if isinstance(statement, ast.FunctionDef):
        return range(statement.body[0].lineno, _end(statement) + 1)
    body = getattr(statement, "body", None)
    stop = body[0].lineno if body else _end(statement) + 1
    return range(statement.lineno, max(stop, statement.lineno + 1))


def _of_statement(statement: ast.stmt) -> Iterator[Mutation]:
    if isinstance(statement, ast.FunctionDef):
        for field in ("defaults", "kw_defaults"):
            for index, default in enumerate(getattr(statement.args, field)):
                if default is not None:
                    yield from _of_expression(statement.args, field, index, default)
        return
    if isinstance(statement, ast.If | ast.While):
        yield Mutation(statement, "test", None, ast.Constant(True))
        yield Mutation(statement, "test", None, ast.Constant(False))
    if isinstance(statement, ast.AugAssign):
        yield Mutation(statement, "op", None, _OPERATORS[type(statement.op)]())
    for field, value in ast.iter_fields(statement):
        if field in ("body", "orelse", "handlers", "finalbody", "target", "annotation", "targets") or (
            field == "value" and isinstance(statement, ast.AnnAssign) and statement.value is None
        ):
            if field == "targets":
                yield from _in_subscripts(statement)
            continue
        for index, part in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(part, ast.expr):
                yield from _of_expression(statement, field, index if isinstance(value, list) else None, part)
            elif isinstance(part, ast.withitem):
                yield from _of_expression(part, "context_expr", None, part.context_expr)


def _in_subscripts(statement: Any) -> Iterator[Mutation]:
    for target in statement.targets:
        if isinstance(target, ast.Subscript):
            yield from _of_expression(target, "slice", None, target.slice)


def _of_expression(parent: Any, field: str, index: int | None, node: ast.expr) -> Iterator[Mutation]:
    """The mutations of an expression and of all within it."""
    for changed in _changed(node):
        yield Mutation(parent, field, index, changed)
    if isinstance(node, ast.Constant | ast.JoinedStr):
        return
    for name, value in ast.iter_fields(node):
        for position, part in enumerate(value if isinstance(value, list) else [value]):
            place = position if isinstance(value, list) else None
            if isinstance(part, ast.expr):
                yield from _of_expression(node, name, place, part)
            elif isinstance(part, ast.keyword) and part.arg not in KEPT:
                yield from _of_expression(part, "value", None, part.value)
            elif isinstance(part, ast.comprehension):
                yield from _of_expression(part, "iter", None, part.iter)
                for k, condition in enumerate(part.ifs):
                    yield from _of_expression(part, "ifs", k, condition)
                    yield Mutation(part, "ifs", k, ast.Constant(True))


def _changed(node: ast.expr) -> Iterator[ast.expr]:
    """What an expression may be replaced by."""
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        yield ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)
    elif isinstance(node, ast.UnaryOp):
        if not isinstance(node.operand, ast.Constant):
            yield node.operand
    elif isinstance(node, ast.Compare):
        for k, operator in enumerate(node.ops):
            for other in _COMPARISONS[type(operator)]:
                yield ast.Compare(node.left, [*node.ops[:k], other(), *node.ops[k + 1 :]], node.comparators)
            right = node.comparators[k]
            if isinstance(right, ast.Constant) and isinstance(right.value, str):  # kinds of dtypes, such as "iu"
                for kind in right.value if 1 < len(right.value) <= 4 else "":
                    others = [
                        *node.comparators[:k],
                        ast.Constant(right.value.replace(kind, "")),
                        *node.comparators[k + 1 :],
                    ]
                    yield ast.Compare(node.left, node.ops, others)
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        for k in range(len(node.values)):
            rest = [*node.values[:k], *node.values[k + 1 :]]
            yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.Constant):
        yield from map(ast.Constant, _other_constants(node.value))
    elif isinstance(node, ast.Attribute) and node.attr in _OTHER:
        yield ast.Attribute(node.value, _OTHER[node.attr], node.ctx)
    elif isinstance(node, ast.Slice):
        for part in ("lower", "upper", "step"):
            if getattr(node, part) is not None:
                shorter = ast.Slice(node.lower, node.upper, node.step)
                setattr(shorter, part, None)
                yield shorter
    elif isinstance(node, ast.Call):
        yield from _changed_call(node)


def _other_constants(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
        if value > 0:
            yield value - 1
    elif isinstance(value, float):
        yield value * 1.01 if value else 1.0
    elif isinstance(value, str) and value in _DTYPES:
        yield _DTYPES[value]


def _changed_call(node: ast.Call) -> Iterator[ast.expr]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "ufuncs" and isinstance(node.args[1], ast.Constant):
        for op in str(node.args[1].value).split():
            yield _replaced_ufunc(ast.unparse(node), op)
    if isinstance(node.func, ast.Attribute) and name in _DROPPED_CALLS:
        yield node.func.value
    if name == "Kernel" and not any(keyword.arg in ("fresh", "out", "writes") for keyword in node.keywords):
        yield ast.Call(node.func, node.args, [*node.keywords, ast.keyword("fresh", ast.Constant(True))])
    args = node.args
    if name != "Kernel":
        if len(args) > 1 and not any(isinstance(argument, ast.Starred) for argument in args[:2]):
            yield ast.Call(node.func, [args[1], args[0], *args[2:]], node.keywords)
        if len(args) > 1:
            yield ast.Call(node.func, args[:-1], node.keywords)
    for k, keyword in enumerate(node.keywords):
        if keyword.arg is not None and keyword.arg not in KEPT:
            yield ast.Call(node.func, args, [*node.keywords[:k], *node.keywords[k + 1 :]])


def _replaced_ufunc(call: str, op: str) -> ast.expr:
    """``call``, whose kernel for ``op`` is another function of the module."""
    changed = f"Kernel({op!r}, xp.{_OTHER[op]}, out=True)"
    return ast.parse(f"[{changed} if k.op == {op!r} else k for k in {call}]", mode="eval").body


def _removed(tree: ast.Module) -> Iterator[Mutation]:
    """Statements that are left out, if the others still run without them."""
    functions = {id(statement): function for statement, function in _all_statements(tree, "module")}
    for parent in ast.walk(tree):
        known = {argument.arg for argument in ast.walk(parent) if isinstance(argument, ast.arg)}
        for field in ("body", "orelse"):
            body = getattr(parent, field, None)
            if not isinstance(body, list):
                continue
            for index, statement in enumerate(body):
                if not isinstance(statement, ast.stmt):
                    continue
                names = {t.id for t in getattr(statement, "targets", []) if isinstance(t, ast.Name)}
                again = isinstance(statement, ast.Assign) and (not names or names <= known)
                known |= names
                called = isinstance(statement, ast.Expr) and not isinstance(statement.value, ast.Constant)
                if again or called or isinstance(statement, ast.AugAssign | ast.Raise | ast.For):
                    mutation = Mutation(parent, field, index, ast.Pass())
                    mutation.lines = range(statement.lineno, _end(statement) + 1)
                    mutation.text = f"{functions[id(statement)]}: {{{_head(statement)} => left out}}"
                    yield mutation

"""The source of an op: its declaration's body, its gradient rules, and the private functions that these call."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from polytape.registry import tables
from polytape.registry.op import Op

__all__ = ["body", "function", "helpers", "ops_in", "rules"]


class Module:
    """A module's source, and its top-level statements."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.text = Path(inspect.getsourcefile(module) or "").read_text(encoding="utf-8")
        self.lines = self.text.splitlines()
        self.tree = ast.parse(self.text)
        self.functions = {node.name: node for node in self.tree.body if isinstance(node, ast.FunctionDef)}

    def source(self, node: ast.stmt) -> str:
        """A statement with its decorators, as it is in the file."""
        decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
        first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
        return "\n".join(self.lines[first - 1 : node.end_lineno])

    def at(self, line: int) -> ast.stmt | None:
        """The top-level statement that contains a line."""
        for node in self.tree.body:
            decorators = node.decorator_list if isinstance(node, ast.FunctionDef | ast.ClassDef) else []
            if min([node.lineno, *(decorator.lineno for decorator in decorators)]) <= line <= (node.end_lineno or 0):
                return node
        return None


@cache
def module(name: str) -> Module:
    """The source of an imported module."""
    return Module(sys.modules[name])


def function(node: ast.FunctionDef, source: Module) -> str:
    """A function without its decorators and its docstring."""
    first = node.body[0]
    described = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(node.body) > 1
    lines = source.lines
    if not described:
        return "\n".join(lines[node.lineno - 1 : node.end_lineno])
    rest = lines[(first.end_lineno or 0) : node.end_lineno]
    while rest and not rest[0].strip():
        rest = rest[1:]
    return "\n".join([*lines[node.lineno - 1 : first.lineno - 1], *rest])


def declaration(op: Op) -> tuple[Module, ast.FunctionDef]:
    """The module and the declared function of an op."""
    source = module(op.module)
    return source, source.functions[op.body.__name__]


def body(op: Op) -> str:
    """The declared function of an op: its decomposition."""
    source, node = declaration(op)
    return function(node, source)


def rules(op: Op) -> list[str]:
    """The statements that declare the gradient rules of an op, each once, in the order of the operands."""
    source, node = declaration(op)
    found = [(source, statement) for statement in source.tree.body if _declares_rule(statement, node.name)]
    for rule in [*op.rules, *op.contractions.values()]:
        code = getattr(rule.fn, "__code__", None)
        if code is None or rule.fn.__module__ not in sys.modules:
            continue
        home = module(rule.fn.__module__)
        statement = home.at(code.co_firstlineno)
        if statement is not None and all(statement is not other for _, other in found):
            found.append((home, statement))
    return [home.source(statement) for home, statement in found]


def _declares_rule(statement: ast.stmt, name: str) -> bool:
    """Whether a statement is ``name.gradient(...)``, ``name.contraction(...)`` or decorated with it."""
    calls: list[ast.expr] = []
    if isinstance(statement, ast.Expr):
        calls = [statement.value]
    elif isinstance(statement, ast.FunctionDef):
        calls = statement.decorator_list
    for call in calls:
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        of = call.func.value
        if call.func.attr in ("gradient", "contraction") and isinstance(of, ast.Name) and of.id == name:
            return True
    return False


def helpers(name: str, shown: Iterable[str]) -> list[str]:
    """The functions of a module, other than ops, that the given pieces of source call, and those that these call.

    Args:
        name: the module.
        shown: pieces of its source.
    """
    source = module(name)
    found: dict[str, str] = {}
    pending = list(shown)
    seen = {text.split("(")[0].removeprefix("def ") for text in pending}
    while pending:
        for word in sorted(names_in(pending.pop()).read):
            node = source.functions.get(word)
            value = getattr(source.module, word, None)
            if node is None or word in seen or isinstance(value, Op):
                continue
            seen.add(word)
            if word.startswith("_"):
                found[word] = source.source(node)
                pending.append(found[word])
    order = list(source.functions)
    return [found[word] for word in sorted(found, key=order.index)]


class Names:
    """The names that a piece of source reads, assigns and imports.

    Attributes:
        read: the names that it reads.
        imported: what it imports itself, by the name that it uses.
        assigned: its parameters and local variables.
    """

    def __init__(self, text: str) -> None:
        self.read: set[str] = set()
        self.imported: dict[str, str] = {}
        self.assigned: set[str] = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Name):
                (self.read if isinstance(node.ctx, ast.Load) else self.assigned).add(node.id)
            elif isinstance(node, ast.arg):
                self.assigned.add(node.arg)
            elif isinstance(node, ast.ImportFrom):
                self.imported.update({alias.asname or alias.name: alias.name for alias in node.names})


names_in = cache(Names)


def ops_in(name: str, pieces: Iterable[str]) -> list[Op]:
    """The ops that pieces of a module's source call by name, also those that they import themselves, by name."""
    values = vars(module(name).module)
    found: dict[str, Op] = {}
    for text in pieces:
        names = names_in(text)
        for word in names.read:
            if word in names.imported:
                value: Any = tables.find_op(names.imported[word])
            else:
                value = None if word in names.assigned else values.get(word)
            if isinstance(value, Op):
                found[value.name] = value
    return [found[key] for key in sorted(found)]

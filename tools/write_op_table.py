"""Generate two modules from the sources of the ops: `python tools/write_op_table.py` (`--check` only compares).

`polytape.ops.table` has the ops and the public names of each family, so that a name is found without reading every
family. `polytape.tensors.methods` shows type checkers the methods that `polytape.ops.methods` gives to Tensor. Run this
program after adding, renaming or removing an op. The sources are parsed, not imported. Uses only the standard library.
"""

from __future__ import annotations

import argparse
import ast
import os
from pathlib import Path
from typing import Any

__all__ = ["main", "rendered", "rendered_methods"]

CHECKOUT = Path(__file__).resolve().parent.parent
OPS = CHECKOUT / "core" / "polytape" / "ops"
TABLE = OPS / "table.py"
METHODS = OPS.parent / "tensors" / "methods.py"
NOT_FAMILIES = {
    "declaration",
    "documentation",
    "dtype_rules",
    "families",
    "complex_bodies",
    "key_lowering",
    "keys",
    "methods",
    "shape_rules",
    "table",
    "update_rules",
    "nn.geometry",
}
HEADER = '''"""The ops and public names of each family; written by tools/write_op_table.py, never by hand."""

from __future__ import annotations

from typing import Final

__all__ = ["FAMILIES"]

# Per family, the names of its ops, and its public names.
FAMILIES: Final[dict[str, tuple[str, str]]] = {
'''
WIDTH = 120


def family_names() -> list[str]:
    """The families: the modules of `polytape.ops`, but for those that serve all of them."""
    names = [
        ".".join(path.relative_to(OPS).with_suffix("").parts)
        for path in sorted(OPS.rglob("*.py"))
        if path.name != "__init__.py"
    ]
    return [name for name in names if name not in NOT_FAMILIES]


def is_op(statement: ast.stmt) -> bool:
    """Whether a statement declares an op."""
    return isinstance(statement, ast.FunctionDef) and any(
        isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "op"
        for decorator in statement.decorator_list
    )


def names_of(family: str) -> tuple[list[str], list[str]]:
    """The ops of a family, without a trailing underscore, and its ``__all__``."""
    body = ast.parse(OPS.joinpath(*family.split(".")).with_suffix(".py").read_text(encoding="utf-8")).body
    ops = [statement.name.rstrip("_") for statement in body if is_op(statement)]  # type: ignore[attr-defined]
    for statement in body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        if isinstance(target, ast.Name) and target.id == "__all__":
            return sorted(ops), sorted(ast.literal_eval(statement.value))  # type: ignore[attr-defined]
    return sorted(ops), []


def text_of(names: list[str]) -> str:
    """Names as a string literal, on several lines if they do not fit on one."""
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) > WIDTH - 16:
            lines.append("")
        lines[-1] += f"{name} "
    lines[-1] = lines[-1].rstrip()
    return "\n".join(f'        "{line}"' for line in lines) + ",\n"


def rendered() -> str:
    """The text of the table."""
    entries = []
    for family in family_names():
        ops, public = names_of(family)
        entries.append(f'    "{family}": (\n{text_of(ops)}{text_of(public)}    ),\n')
    return HEADER + "".join(entries) + "}\n"


METHODS_HEADER = '''"""Tensor's methods as type checkers see them; written by tools/write_op_table.py, never by hand.

No program imports this module: `polytape.ops.methods` gives the methods to the class. `POLYTAPE`'s reference has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..device import Device
    from .tensor import Tensor, TensorLike

__all__ = ["Methods"]


class Methods:
    """The methods; each calls the public function of polytape that its first line names."""
'''
KNOWN = {"Any", "Device", "Tensor", "TensorLike", "bool", "complex", "float", "int", "list", "str", "tuple"}


def constants() -> dict[str, Any]:
    """The tables in `polytape.ops.methods`."""
    values: dict[str, Any] = {}
    for statement in ast.parse((OPS / "methods.py").read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
            code = compile(ast.Expression(statement.value), "methods", "eval")
            values[statement.target.id] = eval(code, {})  # our own source
    return values


def function(name: str) -> tuple[ast.Module, ast.FunctionDef] | None:
    """The module and the definition of a public function of polytape."""
    for family in family_names():
        if "." not in family and name in names_of(family)[1]:
            module = ast.parse((OPS / f"{family}.py").read_text(encoding="utf-8"))
            for statement in module.body:
                if isinstance(statement, ast.FunctionDef) and statement.name == name:
                    return module, statement
    return None


class Plain(ast.NodeTransformer):
    """Replaces the aliases of a module by what they stand for, and what it does not know by Any."""

    def __init__(self, module: ast.Module) -> None:
        self.aliases = {
            statement.targets[0].id: statement.value
            for statement in module.body
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)
        }

    def visit_Name(self, node: ast.Name) -> ast.expr:  # ast's convention
        """A name in an annotation."""
        if node.id in KNOWN:
            return node
        alias = self.aliases.get(node.id)
        return ast.Name("Any") if alias is None else self.visit(alias)


def method_text(name: str, target: str) -> str:
    """The declaration of a method."""
    found = function(target)
    if found is None:
        return ""
    module, node = found
    plain = Plain(module)
    spec = node.args
    first = spec.posonlyargs or spec.args
    first[0] = ast.arg("self")
    for parameter in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs):
        if parameter.annotation is not None:
            parameter.annotation = plain.visit(parameter.annotation)
    if name in constants()["SPREAD"]:
        spec.vararg = ast.arg("more", ast.Name("int"))
        given = [*spec.posonlyargs, *spec.args][1]
        if given.annotation is not None and ast.unparse(given.annotation) == "tuple[int, ...]":
            given.annotation = ast.parse("int | tuple[int, ...]", mode="eval").body
    if spec.posonlyargs == [first[0]]:
        spec.args, spec.posonlyargs = [first[0], *spec.args], []
    returns = "Any" if node.returns is None else ast.unparse(plain.visit(node.returns))
    return f'''
    def {name}({ast.unparse(spec)}) -> {returns}:
        """`polytape.{target}` of this tensor."""
        raise NotImplementedError
'''


def rendered_methods() -> str:
    """The text of the methods for type checkers."""
    tables = constants()
    text = METHODS_HEADER.replace("`POLYTAPE`'s reference has them.", "docs/api/ops.md lists them.")
    for name, target in sorted(tables["METHODS"].items()):
        text += method_text(name, target)
    for name, target in tables["UNARY_OPERATORS"].items():
        text += method_text(name, target)
    for name, (_, target) in tables["BINARY_OPERATORS"].items():
        result = "tuple[Tensor, Tensor]" if name == "divmod" else "Tensor"
        for prefix in ("", "r"):
            text += f'''
    def __{prefix}{name}__(self, other: TensorLike, /) -> {result}:
        """`polytape.{target}`."""
        raise NotImplementedError
'''
    return text


def main() -> int:
    """Rewrite the modules that are out of date; with ``--check``, return 1 instead."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit with status 1 if a module is out of date"
    )
    options = parser.parse_args()
    stale = 0
    for path, text in ((TABLE, rendered()), (METHODS, rendered_methods())):
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        print(f"{path.relative_to(CHECKOUT)} {'is out of date' if options.check else 'rewritten'}")
        if not options.check:
            unfinished = path.with_suffix(f".{os.getpid()}.new")
            unfinished.write_text(text, encoding="utf-8")
            unfinished.replace(path)
    return int(options.check and stale > 0)


if __name__ == "__main__":
    raise SystemExit(main())

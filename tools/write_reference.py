"""Generate the tables of docs/api from the sources: `python tools/write_reference.py` (`--check` only compares).

A table is between two comments, ``<!-- names: ... -->`` and ``<!-- end -->``. The first comment lists public names,
such as ``pt.Variable``, and families of ops, such as ``family:arithmetic`` for all public names of that family; or it
is ``errors``, for the table of all error classes. Each name gets a row with its signature and the first paragraph of
its docstring. The sources are parsed, not imported. Then tools/write_guide_tables.py, which imports polytape, generates
the tables of docs/guide.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

__all__ = ["main", "rendered"]

CHECKOUT = Path(__file__).resolve().parent.parent
PACKAGE = CHECKOUT / "core" / "polytape"
PAGES = CHECKOUT / "docs" / "api"
BLOCK = re.compile(r"(<!-- names: ([^>]*?) -->\n).*?(<!-- end -->)", re.DOTALL)
MAX_SIGNATURE = 110  # characters; a longer signature is shortened to its required parameters

Definition = ast.FunctionDef | ast.ClassDef


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of a source file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def statements(path: Path) -> Iterator[ast.stmt]:
    """The statements of a module, including those inside ``if TYPE_CHECKING:``."""
    for statement in parsed(path).body:
        yield statement
        if isinstance(statement, ast.If):
            yield from statement.body


def module_path(parts: list[str]) -> Path:
    """The file of a module inside polytape."""
    base = PACKAGE.joinpath(*parts)
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def module_parts(path: Path) -> list[str]:
    """The inverse of `module_path`."""
    parts = list(path.relative_to(PACKAGE).with_suffix("").parts)
    return parts[:-1] if parts[-1] == "__init__" else parts


def listed(path: Path) -> list[str]:
    """A module's ``__all__``."""
    for statement in statements(path):
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        if isinstance(target, ast.Name) and target.id == "__all__":
            value: ast.expr = statement.value  # type: ignore[attr-defined]  # plain and annotated assignments have it
            return [str(name) for name in ast.literal_eval(value)]
    return []


def definition(path: Path, name: str) -> tuple[Path, Definition] | None:
    """The file and the statement that define ``name`` of a module, following imports; None if there are none."""
    for statement in statements(path):
        if isinstance(statement, Definition) and statement.name == name:
            if "overload" not in map(ast.unparse, statement.decorator_list):  # those have no docstrings
                return path, statement
            continue
        if not isinstance(statement, ast.ImportFrom) or not statement.level:
            continue
        package = module_parts(path) if path.name == "__init__.py" else module_parts(path)[:-1]
        base = package[: len(package) - statement.level + 1]
        source = module_path([*base, *statement.module.split(".")] if statement.module else base)
        for alias in statement.names:
            if alias.name == "*" and name in listed(source):
                return definition(source, name)
            if (alias.asname or alias.name) == name and alias.name != "*":
                return definition(source, alias.name)
    return None


def defined(name: str) -> tuple[Path, Definition]:
    """The file and the definition of ``pt.name`` or ``pt.namespace.name``.

    Raises:
        SystemExit: the name is not defined.
    """
    *namespace, last = name.removeprefix("pt.").split(".")
    location = definition(module_path(namespace), last)
    if location is None:
        raise SystemExit(f"docs/api lists {name}, which is not defined")
    return location


def parameters(path: Path, node: Definition) -> ast.arguments | None:
    """The parameters of a function or constructor; None for a class without a constructor."""
    if isinstance(node, ast.FunctionDef):
        return node.args
    for member in node.body:
        if isinstance(member, ast.FunctionDef) and member.name == "__init__":
            return member.args
    for base in node.bases:
        inherited = definition(path, base.id) if isinstance(base, ast.Name) else None
        if inherited is not None:
            return parameters(*inherited)
    return None


def signature(declared: ast.arguments) -> str:
    """The parameters as text, without annotations."""
    spec = ast.arguments(
        posonlyargs=[ast.arg(parameter.arg) for parameter in declared.posonlyargs if parameter.arg != "self"],
        args=[ast.arg(parameter.arg) for parameter in declared.args if parameter.arg != "self"],
        vararg=ast.arg(declared.vararg.arg) if declared.vararg else None,
        kwonlyargs=[ast.arg(parameter.arg) for parameter in declared.kwonlyargs],
        kw_defaults=declared.kw_defaults,
        kwarg=ast.arg(declared.kwarg.arg) if declared.kwarg else None,
        defaults=declared.defaults,
    )
    text = ast.unparse(spec).replace("dtypes.", "pt.")
    if len(text) > MAX_SIGNATURE:
        required = [parameter.arg for parameter in spec.args[: len(spec.args) - len(spec.defaults)]]
        keywords = zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
        required_keywords = [parameter.arg for parameter, default in keywords if default is None]
        text = ", ".join([*required, *(["*", *required_keywords] if required_keywords else []), "..."])
    return text


def summary(node: Definition) -> str:
    """The first paragraph of a docstring, as Markdown for a table cell."""
    text = (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")
    return text.replace("``", "`").replace("`polytape.", "`pt.").replace("|", "\\|")


def row(name: str) -> str:
    """The table row of a name."""
    path, node = defined(name)
    declared = parameters(path, node)
    call = name if declared is None else f"{name}({signature(declared)})"
    return f"| `{call}` | {summary(node)} |"


def errors() -> str:
    """The table of error classes, each with the other errors that it derives from."""
    classes = [node for node in statements(PACKAGE / "errors.py") if isinstance(node, ast.ClassDef)]
    rows = [
        f"| `{node.name}` | {', '.join(f'`{ast.unparse(base)}`' for base in bases)} | {summary(node)} |"
        for node in sorted(classes, key=lambda node: node.name)
        if (bases := [base for base in node.bases if ast.unparse(base) != "PolytapeError"]) and len(node.bases) > 1
    ]
    return "\n".join(["| error | also a | when |", "|---|---|---|", *rows])


def names(listing: str) -> list[str]:
    """The public names that a comment lists, with families expanded."""
    public: list[str] = []
    for word in listing.split():
        if word.startswith("family:"):
            family = word.removeprefix("family:").split(".")
            public += [".".join(["pt", *family[:-1], name]) for name in listed(module_path(["ops", *family]))]
        else:
            public.append(word)
    return public


def rendered(text: str) -> str:
    """The page with its tables regenerated."""

    def table(block: re.Match[str]) -> str:
        if block[2] == "errors":
            return f"{block[1]}\n{errors()}\n\n{block[3]}"
        rows = [row(name) for name in names(block[2])]
        return "\n".join([block[1], "| name | what it is |", "|---|---|", *rows, "", block[3]])

    return BLOCK.sub(table, text)


def main() -> int:
    """Rewrite the pages that are out of date; with ``--check``, return 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit with status 1 if a page is out of date"
    )
    options = parser.parse_args()
    stale = 0
    for page in sorted(PAGES.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        new_text = rendered(text)
        if new_text != text:
            stale += 1
            print(f"{page.relative_to(CHECKOUT)} {'is out of date' if options.check else 'rewritten'}")
            if not options.check:
                page.write_text(new_text, encoding="utf-8")
    import write_guide_tables  # which imports polytape

    return max(int(options.check and stale > 0), write_guide_tables.main())


if __name__ == "__main__":
    raise SystemExit(main())

"""Write the tables of docs/api from the sources: `python tools/write_reference.py` (`--check` only compares).

A table stands between two comments, ``<!-- names: ... -->`` and ``<!-- end -->``. The first lists public names, such as
``pt.Variable``, or a family of ops, such as ``family:arithmetic``, which stands for all its public names, or is
``errors``. Each name gets a row with its signature and the first paragraph of its docstring. Nothing is imported.
Standard library only.
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
WIDEST = 110  # characters; a longer signature is shortened to its required parameters

Definition = ast.FunctionDef | ast.ClassDef


@cache
def parsed(path: Path) -> ast.Module:
    """A source file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def statements(path: Path) -> Iterator[ast.stmt]:
    """The statements of a module, those for type checkers among them."""
    for statement in parsed(path).body:
        yield statement
        if isinstance(statement, ast.If):
            yield from statement.body


def module_path(parts: list[str]) -> Path:
    """The file of a module below polytape."""
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
            value: ast.expr = statement.value  # type: ignore[attr-defined]  # both kinds of assignment have one
            return [str(name) for name in ast.literal_eval(value)]
    return []


def definition(path: Path, name: str) -> tuple[Path, Definition] | None:
    """The file and the statement that define a module's name, followed through imports."""
    for statement in statements(path):
        if isinstance(statement, Definition) and statement.name == name:
            return path, statement
        if not isinstance(statement, ast.ImportFrom) or not statement.level:
            continue
        package = module_parts(path) if path.name == "__init__.py" else module_parts(path)[:-1]
        above = package[: len(package) - statement.level + 1]
        source = module_path([*above, *(statement.module or "").split(".")] if statement.module else above)
        for alias in statement.names:
            if alias.name == "*" and name in listed(source):
                return definition(source, name)
            if (alias.asname or alias.name) == name and alias.name != "*":
                return definition(source, alias.name)
    return None


def defined(name: str) -> tuple[Path, Definition]:
    """The file and the definition of ``pt.name`` or ``pt.namespace.name``.

    Raises:
        SystemExit: there is none.
    """
    *namespace, last = name.removeprefix("pt.").split(".")
    place = definition(module_path(namespace), last)
    if place is None:
        raise SystemExit(f"docs/api names {name}, which is defined nowhere")
    return place


def parameters(path: Path, node: Definition) -> ast.arguments | None:
    """The parameters of a call; None for a class without a constructor."""
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


def signature(given: ast.arguments) -> str:
    """The parameters as text, without annotations."""
    spec = ast.arguments(
        posonlyargs=[ast.arg(one.arg) for one in given.posonlyargs],
        args=[ast.arg(one.arg) for one in given.args if one.arg != "self"],
        vararg=ast.arg(given.vararg.arg) if given.vararg else None,
        kwonlyargs=[ast.arg(one.arg) for one in given.kwonlyargs],
        kw_defaults=given.kw_defaults,
        kwarg=ast.arg(given.kwarg.arg) if given.kwarg else None,
        defaults=given.defaults,
    )
    text = ast.unparse(spec).replace("dtypes.", "pt.")
    if len(text) > WIDEST:
        required = [one.arg for one in spec.args[: len(spec.args) - len(spec.defaults)]]
        keywords = zip(spec.kwonlyargs, spec.kw_defaults, strict=True)
        named = [one.arg for one, default in keywords if default is None]
        text = ", ".join([*required, *(["*", *named] if named else []), "..."])
    return text


def meaning(node: Definition) -> str:
    """The first paragraph of a docstring, as Markdown in a table."""
    text = (ast.get_docstring(node) or "").split("\n\n")[0].replace("\n", " ")
    return text.replace("``", "`").replace("`polytape.", "`pt.").replace("|", "\\|")


def row(name: str) -> str:
    """A name's row of a table."""
    path, node = defined(name)
    given = parameters(path, node)
    call = name if given is None else f"{name}({signature(given)})"
    return f"| `{call}` | {meaning(node)} |"


def errors() -> str:
    """The table of the errors: each with the built-in ones it derives from as well."""
    classes = [node for node in statements(PACKAGE / "errors.py") if isinstance(node, ast.ClassDef)]
    rows = [
        f"| `{node.name}` | {', '.join(f'`{ast.unparse(base)}`' for base in bases)} | {meaning(node)} |"
        for node in sorted(classes, key=lambda node: node.name)
        if (bases := [base for base in node.bases if ast.unparse(base) != "PolytapeError"]) and len(node.bases) > 1
    ]
    return "\n".join(["| error | also a | when |", "|---|---|---|", *rows])


def names(listing: str) -> list[str]:
    """The public names that a comment lists."""
    every: list[str] = []
    for word in listing.split():
        if word.startswith("family:"):
            family = word.removeprefix("family:").split(".")
            every += [".".join(["pt", *family[:-1], name]) for name in listed(module_path(["ops", *family]))]
        else:
            every.append(word)
    return every


def rendered(text: str) -> str:
    """A page with its tables written anew."""

    def table(block: re.Match[str]) -> str:
        if block[2] == "errors":
            return f"{block[1]}\n{errors()}\n\n{block[3]}"
        rows = [row(name) for name in names(block[2])]
        return "\n".join([block[1], "| name | what it is |", "|---|---|", *rows, "", block[3]])

    return BLOCK.sub(table, text)


def main() -> int:
    """Write the pages that changed; with ``--check``, 1 if any would."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if a page would change")
    chosen = parser.parse_args()
    stale = 0
    for page in sorted(PAGES.rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        made = rendered(text)
        if made != text:
            stale += 1
            print(f"{page.relative_to(CHECKOUT)} {'is out of date' if chosen.check else 'rewritten'}")
            if not chosen.check:
                page.write_text(made, encoding="utf-8")
    return int(chosen.check and stale > 0)


if __name__ == "__main__":
    raise SystemExit(main())

"""One page per public name and per op, for the site that tools/build_docs.py builds.

The text comes from the sources: signature and docstring, for an op also its rules, gradient, decomposition and kernels.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docstring_markdown as text
import op_kernels
import op_sources
import polytape
import write_reference as reference
from polytape import errors
from polytape.ops import documentation, families, methods
from polytape.ops.table import FAMILIES
from polytape.registry import tables
from polytape.registry.op import Op
from signatures import signature

__all__ = ["Pages"]

# Classes that users do not construct: their rows in docs/api have no signature. By name, the page.
UNCALLED = {"pt.Tensor": "ops", "pt.Device": "backends"}
INTERNAL = "internal"  # the page of the ops that have no public name


class Pages:
    """The pages, by their addresses below ``docs``.

    Attributes:
        address: of the page of a public name such as ``pt.add``.
        ops: of the page of an op, by the op's name.
    """

    def __init__(self) -> None:
        self.address: dict[str, str] = {}
        self.ops: dict[str, str] = {}
        self._title: dict[str, str] = {}
        for page in sorted(reference.PAGES.glob("*.md")):
            content = page.read_text(encoding="utf-8")
            self._title[page.stem] = content.partition("\n")[0].removeprefix("# ")
            for block in reference.BLOCK.finditer(content):
                for name in [] if block[2] == "errors" else reference.names(block[2]):
                    self._add(name, page.stem)
        for name, stem in UNCALLED.items():
            self._add(name, stem)
        for op in tables.ops().values():
            if op.name not in self.ops and op.module.startswith(tables.FAMILIES):
                self.ops[op.name] = f"api/{INTERNAL}/{op.name}.md"
        self._users = self._uses_by_op()

    def _add(self, name: str, page: str) -> None:
        last = name.rpartition(".")[2]
        address = f"api/{page}/{last}.md"
        if any(other.lower() == address.lower() for other in self.address.values()):
            address = f"api/{page}/{last}-{'class' if last[0].isupper() else '2'}.md"  # files that differ in case only
        self.address[name] = address
        value = found(name)
        if isinstance(value, Op):
            self.ops[value.name] = address

    def _uses_by_op(self) -> dict[str, list[str]]:
        users: dict[str, list[str]] = {}
        for op in self._own_ops():
            for used in [] if op.primitive else op_sources.ops_in(op.module, self._definition(op)):
                users.setdefault(used.name, []).append(op.name)
        return users

    def _own_ops(self) -> list[Op]:
        return [op for op in tables.ops().values() if op.name in self.ops]

    def _definition(self, op: Op) -> list[str]:
        """The body and the private functions that it calls."""
        body = op_sources.body(op)
        return [body, *op_sources.helpers(op.module, [body])]

    def everything(self) -> Iterator[tuple[str, str]]:
        """The address and the text of each page."""
        for name, address in self.address.items():
            value = found(name)
            content = self.op_page(name, value, address) if isinstance(value, Op) else self.other_page(name, address)
            yield address, content
        for op in self._own_ops():
            address = self.ops[op.name]
            if address.startswith(f"api/{INTERNAL}/"):
                yield address, self.op_page(op.name, op, address)
        yield f"api/{INTERNAL}.md", self.internal_page()

    def link_from(self, address: str) -> Callable[[str], str]:
        """The function that returns the relative address of a name's page, "" if it has none or is this page."""

        def link(name: str) -> str:
            # A name without a module may be a parameter's.
            target = self.address.get(name.replace("polytape.", "pt.", 1), "")
            if not target and name.rpartition(".")[2] in errors.__all__:
                target = "api/errors.md"
            return relative(target, address) if target and target != address else ""

        return link

    def op_page(self, name: str, op: Op, address: str) -> str:
        """The page of an op."""
        link = self.link_from(address)
        _, node = op_sources.declaration(op)
        parts = [self._heading(name, address, self._kind(op))]
        if address.startswith(f"api/{INTERNAL}/"):
            parts.append(f"Not a public name. Reached by {self._reached(op, address)}.")
        parts.append(signature(name, node.args, node.returns))
        parts += self._sections(op.__doc__ or "", link)
        # Search finds an op by its text, not by every op that is named in some source.
        parts += [
            f"## {title} {{ data-search-exclude }}\n\n{content}"
            for title, content in self._op_sections(op, address)
            if content
        ]
        return "\n\n".join(parts) + "\n"

    def _op_sections(self, op: Op, address: str) -> Iterator[tuple[str, str]]:
        yield "Rules", self._rules(op, address)
        yield "Gradient", self._gradient(op)
        yield "Decomposition", self._decomposition(op, address)
        yield "Kernels", op_kernels.table(op)
        yield "See also", self._see_also(op.module, address, op)

    def _reached(self, op: Op, address: str) -> str:
        """How users reach an op without a public name."""
        family = op.module.removeprefix(tables.FAMILIES)
        public = [
            name for name in (f"pt.{op.name}", f"pt.{family.rpartition('.')[0]}.{op.name}") if name in self.address
        ]
        if public:
            return text.prose(f"`{public[0]}`", self.link_from(address))
        if op.internal.startswith("polytape."):
            return " and ".join(text.prose(f"`{name}`", self.link_from(address)) for name in op.internal.split(" and "))
        is_code = op.internal.startswith("x[")
        return (
            text.prose(f"`{op.internal}`" if is_code and "," not in op.internal else op.internal)
            or f"the functions of `{family}`"
        )

    def _heading(self, name: str, address: str, kind: str) -> str:
        page = address.split("/")[1]
        title = self._title.get(page, "Ops behind other names")
        return f"# {name}\n\n[{title}](../{page}.md) · {kind}"

    def _kind(self, op: Op) -> str:
        words = ["primitive" if op.primitive else "composite"]
        if op.elementwise:
            words.append("elementwise")
        words.append(f"family `{op.module.removeprefix(tables.FAMILIES)}`")
        return " · ".join(words)

    def _sections(self, docstring: str, link: Callable[[str], str]) -> list[str]:
        """A docstring as Markdown, with its sections as lists under bold titles."""
        parts = []
        for title, content in text.split(docstring).items():
            if not content.strip():
                continue
            if not title:
                parts.append(text.markdown(content, link))
            elif title == "Example":
                parts.append(f"**Example**\n\n{text.markdown(content, link)}")
            elif title in ("Args", "Attributes"):
                rows = [f"- {_listed(names)}{text.prose(meaning, link)}" for names, meaning in text.entries(content)]
                parts.append("\n".join([f"**{'Arguments' if title == 'Args' else title}**", "", *rows]))
            elif title == "Raises":
                rows = [
                    f"- {_listed(names, link)}{text.prose(meaning, link)}" for names, meaning in text.errors(content)
                ]
                parts.append("\n".join(["**Raises**", "", *rows]))
            else:
                parts.append(f"**{title}**\n\n{text.prose(' '.join(content.split()), link)}")
        return parts

    def _rules(self, op: Op, address: str) -> str:
        dtype, shape = documentation.facts_of(op.dtype_rule), documentation.facts_of(op.shape_rule)
        rows = [
            ("dtypes of the operands", dtype.takes),
            ("dtype of the result", _result(op, dtype.returns, "promoted")),
            ("shapes of the operands", shape.takes),
            ("shape of the result", _result(op, shape.returns, "broadcast")),
            ("promote together", ", ".join(f"`{name}`" for name in op.promotes) if len(op.promotes) > 1 else ""),
            ("integers and bools", "are cast to float32 first" if op.floating else ""),
            ("operands that stay on the host", ", ".join(f"`{name}`" for name in op.host)),
            (
                "a method of tensors",
                ", ".join(f"`x.{name}()`" for name, of in methods.METHODS.items() if of == op.name),
            ),
        ]
        shown = [
            f"| {title} | {text.prose(_filled(value, op), self.link_from(address))} |" for title, value in rows if value
        ]
        return "\n".join(["| rule | |", "|---|---|", *shown]) if shown else ""

    def _gradient(self, op: Op) -> str:
        if op.no_gradient:
            return f"None flows through this op: {text.prose(op.no_gradient)}."
        statements = op_sources.rules(op)
        if not statements:
            return "By differentiating the decomposition." if op.operands else "None: the op has no operands."
        pieces = [*statements, *op_sources.helpers(op.module, statements)]
        names = sorted(
            {op.operands[position] for rule in op.rules for position in rule.operands}, key=op.operands.index
        )
        intro = f"Rules for {', '.join(f'`{name}`' for name in names)}; `g` is the gradient of the result"
        intro += ", `y` the result itself" if any("y" in piece for piece in pieces) else ""
        return f"{intro}.\n\n{fenced(pieces)}"

    def _decomposition(self, op: Op, address: str) -> str:
        page = relative("backends/primitives.md", address)
        if op.primitive and "any" in op.primitive_for:
            return f"None: this op is a primitive. [Every backend needs a kernel for it]({page})."
        pieces = self._definition(op)
        used = [self._op_link(other.name, address) for other in op_sources.ops_in(op.module, pieces)]
        calls = f"\n\nCalls {', '.join(used)}." if used else ""
        intro = "It defines the op, and runs on a backend without a kernel for it."
        if op.primitive:
            kinds = " and ".join(op.primitive_for)
            intro = f"[Every backend needs a kernel]({page}) for {kinds} dtypes; this defines the op for all others."
        return f"{intro}\n\n{fenced(pieces)}{calls}"

    def _op_link(self, name: str, address: str) -> str:
        return f"[`{name}`]({relative(self.ops[name], address)})" if name in self.ops else f"`{name}`"

    def _see_also(self, module: str, address: str, op: Op | None = None) -> str:
        lines = []
        family = module.removeprefix(tables.FAMILIES)
        namespace = ".".join(["pt", *family.split(".")[:-1]])
        public = FAMILIES[family][1].split() if family in FAMILIES else []
        others = [
            f"{namespace}.{name}" for name in public if self.address.get(f"{namespace}.{name}", address) != address
        ]
        if others:
            links = [f"[`{name}`]({relative(self.address[name], address)})" for name in others]
            lines.append(f"- Of the same family: {', '.join(links)}")
        users = self._users.get(op.name, []) if op is not None else []
        if users:
            lines.append(
                f"- Used in the decompositions of: {', '.join(self._op_link(name, address) for name in users)}"
            )
        return "\n".join(lines)

    def other_page(self, name: str, address: str) -> str:
        """The page of a function or a class that is not an op."""
        link = self.link_from(address)
        path, node = reference.defined(name)
        docstring = ast.get_docstring(node) or ""
        if isinstance(node, ast.ClassDef):
            arguments = reference.parameters(path, node) if name not in UNCALLED else None
            shown = [signature(name, arguments, None)] if arguments is not None else []
            parts = [self._heading(name, address, "class"), *shown, *self._sections(docstring, link)]
            return "\n\n".join([*parts, *self._members(path, node, link)]) + "\n"
        parts = [self._heading(name, address, "function"), signature(name, node.args, node.returns)]
        parts += self._sections(docstring, link)
        family = ".".join(["polytape", *reference.module_parts(path)])
        if family.startswith(tables.FAMILIES):
            parts.append(f"## Definition {{ data-search-exclude }}\n\n{self._definition_of(family, node, address)}")
            parts.append(f"## See also {{ data-search-exclude }}\n\n{self._see_also(family, address)}")
        return "\n\n".join(parts) + "\n"

    def _definition_of(self, family: str, node: ast.FunctionDef, address: str) -> str:
        """The source of a function that calls ops, and which ops."""
        families.load(family.removeprefix(tables.FAMILIES))
        body = op_sources.function(node, op_sources.module(family))
        pieces = [body, *op_sources.helpers(family, [body])]
        used = [self._op_link(op.name, address) for op in op_sources.ops_in(family, pieces)]
        calls = f"\n\nCalls {', '.join(used)}." if used else ""
        return f"A function that calls ops; it runs on every backend.\n\n{fenced(pieces)}{calls}"

    def _members(self, path: Path, node: ast.ClassDef, link: Callable[[str], str]) -> list[str]:
        """The public methods and properties of a class and of its bases in polytape, each with its docstring."""
        members = members_of(path, node)
        parts = ["## Members"] if members else []
        for member in members.values():
            decorators = {ast.unparse(decorator) for decorator in member.decorator_list}
            parts.append(f"### {member.name}")
            if not decorators & {"property", "functools.cached_property"}:
                parts.append(signature(member.name, member.args, member.returns))
            parts += self._sections(ast.get_docstring(member) or "", link)
        return parts

    def internal_page(self) -> str:
        """The list of the ops that have no public name."""
        rows = []
        for op in self._own_ops():
            if self.ops[op.name].startswith(f"api/{INTERNAL}/"):
                summary = text.prose((op.__doc__ or "").partition("\n\n")[0].replace("\n", " "))
                link = f"[`{op.name}`]({INTERNAL}/{op.name}.md)"
                rows.append(f"| {link} | {summary} | {self._reached(op, f'api/{INTERNAL}.md')} |")
        intro = "Operators, gradients and functions call these ops. Backends may have kernels for them."
        return "\n".join(
            [
                "# Ops behind other names",
                "",
                intro,
                "",
                "| op | what it computes | reached by |",
                "|---|---|---|",
                *rows,
                "",
            ]
        )


def found(name: str) -> Any:
    """The object with the public name ``pt.some.name``; None if only the sources define it."""
    value: Any = polytape
    for part in name.split(".")[1:]:
        value = getattr(value, part, None)
    return value


def relative(target: str, page: str) -> str:
    """The address of ``target`` as seen from ``page``."""
    return Path(os.path.relpath(target, Path(page).parent)).as_posix()


def members_of(path: Path, node: ast.ClassDef) -> dict[str, ast.FunctionDef]:
    """The public methods and properties of a class and of its bases in polytape, by name."""
    members: dict[str, ast.FunctionDef] = {}
    for member in node.body:
        if isinstance(member, ast.FunctionDef) and not member.name.startswith("_") and ast.get_docstring(member):
            members.setdefault(member.name, member)
    for base in node.bases:
        inherited = reference.definition(path, base.id) if isinstance(base, ast.Name) else None
        if inherited is not None and isinstance(inherited[1], ast.ClassDef):
            for name, member in members_of(inherited[0], inherited[1]).items():
                members.setdefault(name, member)
    return members


def fenced(pieces: list[str]) -> str:
    """Pieces of source as one block of Python."""
    return "\n".join(["```python", "\n\n\n".join(pieces), "```"])


def _listed(names: str, link: Callable[[str], str] = lambda name: "") -> str:
    """The names of an entry as code, and the colon after them."""
    return f"{', '.join(text.prose(f'`{name.strip()}`', link) for name in names.split(','))}: " if names else ""


def _result(op: Op, returns: str, combined: str) -> str:
    """What a rule says about the result; ``same`` in words."""
    several = len(op.operands) > 1 or op.variadic
    return returns if returns != "same" else f"that of the operands, {combined}" if several else "that of {x}"


def _filled(words: str, op: Op) -> str:
    return words.replace("{x}", " and ".join(f"``{name}``" for name in op.operands))

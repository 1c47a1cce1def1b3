"""Docstrings as Markdown, for the pages of the site. Uses only the standard library."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["entries", "errors", "markdown", "prose", "split"]

SECTIONS = ("Args", "Attributes", "Returns", "Yields", "Raises", "Source", "Example")
# A shape, with the dtypes before it: `real[..., n]`, `any dtype[...]`, `[m, n]`.
SHAPE = re.compile(r"(?<![\w`\]])((?:any )?\w*\[[^\]\n`]*\](?:\[[^\]\n`]*\])?)(?![`(])")
CODE = re.compile(r"(``.+?``|`[^`]+`)", re.DOTALL)

Link = Callable[[str], str]  # a dotted name -> the address of its page, "" if it has none


def split(docstring: str) -> dict[str, str]:
    """The sections of a docstring by title; the text before the first section is under ``""``."""
    texts: dict[str, list[str]] = {"": []}
    current = ""
    for line in docstring.splitlines():
        title = line.rstrip()[:-1] if line.rstrip().endswith(":") else ""
        if title in SECTIONS:
            current = title
            texts.setdefault(current, [])
        else:
            texts[current].append(line)
    return {title: "\n".join(lines).strip("\n") for title, lines in texts.items()}


def entries(section: str) -> list[tuple[str, str]]:
    """The entries of a section such as ``Args``: names and text. Indented lines continue an entry."""
    lines = [line for line in section.splitlines() if line.strip()]
    margin = min((len(line) - len(line.lstrip()) for line in lines), default=0)
    found: list[tuple[str, str]] = []
    for line in lines:
        text = line[margin:]
        if text.startswith(" ") and found:
            names, before = found[-1]
            found[-1] = (names, f"{before} {text.strip()}")
        else:
            names, colon, rest = text.partition(": ")
            found.append((names.removesuffix(":"), rest.strip()) if colon or text.endswith(":") else ("", text))
    return found


def errors(section: str) -> list[tuple[str, str]]:
    """The entries of a ``Raises`` section: classes of errors, and when they are raised."""
    text = " ".join(section.split())
    parts = re.split(r"(?:^|(?<=\. ))(?=(?:\w*Error|\w*Warning|Exception|SystemExit)(?:, \w+)*: )", text)
    pairs = [part.strip().partition(": ") for part in parts if part.strip()]
    return [(names, rest) if colon else ("", names) for names, colon, rest in pairs]


def prose(text: str, link: Link = lambda name: "") -> str:
    """A text without blocks as Markdown: code spans, links to the names in them, and shapes as code."""
    parts = []
    for part in CODE.split(text):
        if not part.startswith("`"):
            part = "`".join(SHAPE.sub(r"`\1`", part).split("`"))
            parts.append(_escaped(part))
            continue
        code = part.strip("`").replace("\n", " ")
        name = code.removeprefix("~")
        address = link(name) if re.fullmatch(r"[\w.]+", name) else ""
        shown = name.replace("polytape.", "pt.", 1) if name.startswith("polytape.") else code
        parts.append(f"[`{shown}`]({address})" if address else f"`{shown}`")
    return "".join(parts)


def _escaped(text: str) -> str:
    """Text outside code spans with Markdown's own characters escaped."""
    pieces = re.split(r"(`[^`]*`)", text)
    return "".join(piece if piece.startswith("`") else re.sub(r"([*_<\\|])", r"\\\1", piece) for piece in pieces)


def markdown(text: str, link: Link = lambda name: "") -> str:
    """The text of a docstring as Markdown: paragraphs, lists, examples after ``>>>``, blocks after ``::``."""
    blocks = re.split(r"\n[ \t]*\n", text.strip("\n"))
    shown: list[str] = []
    literal = False
    for block in blocks:
        margin = min((len(line) - len(line.lstrip()) for line in block.splitlines() if line.strip()), default=0)
        lines = [line[margin:] for line in block.splitlines()]
        if lines and lines[0].startswith(">>>"):
            shown.append(_fenced(lines))
        elif literal and margin:
            shown.append(_fenced(lines, language="text"))
            continue
        elif lines:
            literal = lines[-1].endswith("::")
            shown.append(_paragraph([*lines[:-1], lines[-1].removesuffix(":") if literal else lines[-1]], link))
            continue
        literal = False
    return "\n\n".join(shown)


def _fenced(lines: list[str], language: str = "pycon") -> str:
    return "\n".join([f"```{language}", *lines, "```"])


def _paragraph(lines: list[str], link: Link) -> str:
    """A paragraph or a list; in a list, a line that is indented continues the item."""
    items: list[str] = []
    for line in lines:
        if line.startswith("- ") or not items:
            items.append(line)
        else:
            items[-1] += f" {line.strip()}"
    texts = [prose(item.removeprefix("- "), link) for item in items]
    shown = [f"- {text}" if item.startswith("- ") else text for item, text in zip(items, texts, strict=True)]
    if len(shown) > 1 and not items[0].startswith("- "):
        shown.insert(1, "")
    return "\n".join(shown)

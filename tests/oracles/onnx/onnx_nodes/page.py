"""The tables of docs/guide/onnx-nodes.md: what runs, and why the rest does not."""

from __future__ import annotations

import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

import onnx

from .cases import Case, cases_of, modules, reason_against
from .comparison import run

__all__ = ["rendered"]

BEGIN, END = "<!-- nodes -->\n", "<!-- end -->"
MOST_NAMES = 6  # of ops with the same reason; of more, the number is given


def _subject(case: Case) -> Any:
    """The op that a test is about: that of its only node, or the one whose definition it runs."""
    nodes = case.model.graph.node
    names = {node.op_type for node in nodes}
    prefixes = {output.split("_")[0] for node in nodes for output in node.output if "_expanded_function_" in output}
    return min(prefixes or names)


def _wrapped(words: Iterable[str]) -> list[str]:
    """The lines of a paragraph, none of which breaks within a word."""
    text = ", ".join(word.replace(" ", "\0") for word in words) + "."
    return [line.replace("\0", " ") for line in textwrap.wrap(text, 119)]


def rendered(text: str) -> str:
    """The page ``text`` with new tables. Every test runs."""
    ran: Counter[str] = Counter()
    left: dict[str, Counter[str]] = defaultdict(Counter)
    total, traced = 0, 0
    for module in modules():
        for case in cases_of(module):
            total += 1
            reason = reason_against(case)
            if reason:
                left[reason][_subject(case)] += 1
                continue
            ran[_subject(case)] += 1
            traced += run(case)
    count = sum(ran.values())
    lines = [
        f"ONNX {onnx.__version__} has {total:,} node tests. {count:,} of them agree node by node, "
        f"of {len(ran)} ops, and {traced:,} also as a graph;",
        f"of the other {count - traced}, every input determines a shape, which a graph does not compute.",
        "",
        "The numbers of tests that run:",
        *_wrapped(f"`{name}` {n}" for name, n in sorted(ran.items())),
        "",
        f"These {total - count} tests do not run:",
        "",
        "| reason | tests | ops |",
        "|---|---|---|",
    ]
    for reason, ops in sorted(left.items(), key=lambda item: -item[1].total()):
        names = ", ".join(f"`{name}`" for name in sorted(ops)[:MOST_NAMES])
        lines.append(f"| {reason} | {ops.total()} | {names}{', ...' if len(ops) > MOST_NAMES else ''} |")
    return text[: text.index(BEGIN) + len(BEGIN)] + "\n".join(lines) + "\n" + text[text.index(END) :]

"""The section of docs/oracles.md about OpInfo."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from .mapped import Mapped

__all__ = ["coverage_faults", "section"]


def coverage_faults(names: Iterable[str], maps: Mapping[str, Any], reasons: Mapping[str, str]) -> list[str]:
    """Entries that are neither mapped nor explained, or both, and names that are no entries."""
    known = set(names)
    faults = [f"{name} is neither mapped nor explained" for name in sorted(known - set(maps) - set(reasons))]
    faults += [f"{name} is mapped and explained" for name in sorted(set(maps) & set(reasons))]
    return faults + [f"{name} is no entry" for name in sorted((set(maps) | set(reasons)) - known)]


def grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Entries by reason, the reasons with most entries first."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, reason in pairs:
        if reason and name not in groups[reason]:
            groups[reason].append(name)
    return dict(sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])))


def table(title: str, groups: Mapping[str, list[str]]) -> list[str]:
    """Reasons and their entries."""
    rows = [f"| {reason} | {', '.join(f'`{name}`' for name in sorted(names))} |" for reason, names in groups.items()]
    return [f"| {title} | entries |", "|---|---|", *rows, ""]


def section(version: str, results: list[Any], maps: Mapping[str, Mapped], reasons: Mapping[str, str]) -> str:
    """The section, from what was compared."""
    compared: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for result in results:
        compared.update(result.compared)
        left.update(result.left)
    used = {result.name: maps[result.name] for result in results}
    refused = [(result.name, name) for result in results for name in sorted(result.refused)]
    clean = sum(not result.faults for result in results)
    lines = [
        f"PyTorch {version}'s `torch.testing._internal.common_methods_invocations.op_db` describes "
        f"{len(maps) + len(reasons)} functions, with samples of their arguments. {len(maps)} of them are mapped to "
        f"polytape; on {clean} there is no disagreement. Compared are values, shapes and dtypes; for float64 and "
        "complex128 also the gradients by every operand and their gradients, with `torch.autograd` as the oracle.",
        "",
        "| | samples |",
        "|---|---|",
        *(f"| values, {name} | {count:,} |" for name, count in compared.items()),
        f"| gradients | {sum(result.gradients for result in results):,} |",
        f"| second gradients | {sum(result.doubles for result in results):,} |",
        f"| left out, for a reason below | {sum(left.values()):,} |",
        "",
        "Conventions that differ:",
        "",
        *table("results have another dtype", grouped((name, entry.dtype) for name, entry in used.items())),
        *table("values are not compared", grouped((name, entry.values) for name, entry in used.items())),
        *table(
            "gradients are not compared",
            grouped((name, why) for name, entry in used.items() for why in (entry.gradient, entry.double) if why),
        ),
        "Samples that are left out:",
        "",
        *table("reason", grouped((result.name, reason) for result in results for reason in result.left)),
        "Dtypes that torch takes and polytape rejects with `DTypeError`:",
        "",
        *table("dtype", grouped(refused)),
        "Entries that are not mapped:",
        "",
        *table("reason", grouped(reasons.items())),
    ]
    faults = [f"- `{result.name}`: {result.faults[0]}" for result in results if result.faults]
    if faults:
        lines += ["Open disagreements:", "", *faults, ""]
    return "\n".join(lines)

"""Compare polytape with torch on torch's own samples: `python tests/run_opinfo.py [NAMES] [--write]`.

The environment needs PyTorch and its test requirements (expecttest, scipy); ``tests/opinfo`` has the adapters. Names
are those of ``op_db``, with the variant behind a slash. ``--write`` writes the section of docs/oracles.md. The exit
status is 1 if there are disagreements.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "oracles.md"
sys.path.insert(0, str(HERE))


def replaced(text: str, name: str, content: str) -> str:
    """The page with the part between the marks of ``name`` replaced."""
    begin, end = f"<!-- {name}: written by a script -->\n", f"<!-- end of {name} -->\n"
    before, rest = text.split(begin)
    return before + begin + content + end + rest.split(end)[1]


def entries() -> dict[str, Any]:
    """torch's entries by name and variant."""
    from torch.testing._internal.common_methods_invocations import op_db

    return {f"{entry.name}/{entry.variant_test_name}".rstrip("/"): entry for entry in op_db}


def main() -> int:
    """Run the comparison and print what disagrees."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="entries; default: all that are mapped")
    parser.add_argument("--limit", type=int, default=0, help="samples per entry and dtype; default: all")
    parser.add_argument("--dtypes", default="", help="separated by commas")
    parser.add_argument("--faults", type=int, default=3, help="disagreements to print per entry")
    parser.add_argument("--part", default="0/1", help="k/n: every n-th entry, from the k-th")
    parser.add_argument("--write", action="store_true", help="write docs/oracles.md")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    import torch
    from opinfo import comparing, page
    from opinfo.maps import MAPS
    from opinfo.reasons import REASONS

    known = entries()
    problems = page.coverage_faults(known, MAPS, REASONS)
    print("\n".join(problems) if problems else f"{len(MAPS)} of {len(known)} entries are mapped")
    dtypes = options.dtypes.split(",") if options.dtypes else comparing.DTYPES
    names = options.names or [name for name in known if name in MAPS]
    first, every = map(int, options.part.split("/"))
    results = []
    for name in names[first::every]:
        result = comparing.compare(known[name], MAPS[name], options.limit, dtypes)
        results.append(result)
        if result.faults or options.names:
            print(f"{name}: {sum(result.compared.values())} values, {result.gradients} gradients, {result.doubles} "
                  f"second gradients agree; {len(result.faults)} disagree", flush=True)  # fmt: skip
            for text in result.faults[: options.faults]:
                print("   ", text)
        for reason, count in result.left.items() if options.names else ():
            print(f"    {count} left out: {reason}")
    wrong = sum(bool(result.faults) for result in results)
    total = sum(sum(result.compared.values()) for result in results)
    print(f"{len(results)} entries, {total:,} samples, {wrong} entries with disagreements")
    if options.write:
        text = page.section(torch.__version__.split("+")[0], results, MAPS, REASONS)
        PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), "opinfo", text), encoding="utf-8")
    return 1 if wrong or problems else 0


if __name__ == "__main__":
    raise SystemExit(main())

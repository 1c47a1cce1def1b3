"""Generate the tables of docs/guide/onnx-nodes.md: `python tools/write_onnx_nodes.py` (`--check` only compares).

Runs the node tests of the installed package onnx on polytape, which takes about 20 seconds.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

__all__ = ["main"]

CHECKOUT = Path(__file__).resolve().parent.parent
PAGE = CHECKOUT / "docs" / "guide" / "onnx-nodes.md"


def main() -> int:
    """Write the page, or compare it; return 1 if it differed and ``--check`` was given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only")
    options = parser.parse_args()
    sys.path.append(str(CHECKOUT / "tests" / "oracles" / "onnx"))
    old = PAGE.read_text(encoding="utf-8")
    new: str = importlib.import_module("onnx_nodes.page").rendered(old)
    if old == new:
        return 0
    if options.check:
        print(f"{PAGE} is not up to date: python tools/write_onnx_nodes.py")
        return 1
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Generate the table of docs/backends/primitives.md: `python tools/write_primitives.py` (`--check` only compares).

The table lists what a backend needs a kernel for, as `polytape todo` reports it of a backend without kernels.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["main", "rendered"]

PAGE = Path(__file__).resolve().parent.parent / "docs" / "backends" / "primitives.md"
BEGIN, END = "<!-- primitives -->\n", "<!-- end -->"
BLANK = """
import numpy as np
import polytape as pt

pt.register_backend(
    pt.Backend(
        name="blank", devices=lambda: [("blank", 1)], array_type=np.ndarray, automatic=False, dtypes=["float32"],
        from_host=lambda array, device: np.array(array), to_host=lambda array: array, lift=np.asarray,
        copy=lambda array, device: array.copy(), empty=lambda shape, dtype, device: np.empty(shape, dtype),
        synchronize=lambda device: None,
    )
)
"""

MOST_NAMES = 8  # of ops that need a kernel; of more, the number is given


def rendered() -> str:
    """The page with a new table."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "blank.py").write_text(BLANK, encoding="utf-8")
        command = [sys.executable, "-m", "polytape", "todo", "blank", "--module", "blank", "--json"]
        facts = json.loads(subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout)
    lines = ["| kernel | what it computes | ops that need it |", "|---|---|---|"]
    for entry in facts["missing"]:
        names = entry["unlocks"]
        listed = ", ".join(f"`{name}`" for name in names[:MOST_NAMES])
        unlocks = (f"{len(names)}: {listed}, ..." if len(names) > MOST_NAMES else listed) or "none"
        kinds = "" if "any" in entry["dtypes"] else f" for {' and '.join(entry['dtypes'])} dtypes"
        lines.append(f"| `{entry['kernel']}`{kinds} | {entry['summary']} | {unlocks} |".replace("``", "`"))
    page = PAGE.read_text(encoding="utf-8")
    return page[: page.index(BEGIN) + len(BEGIN)] + "\n".join(lines) + "\n" + page[page.index(END) :]


def main() -> int:
    """Write the page, or compare it; return 1 if it differed from the sources and ``--check`` was given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare only")
    options = parser.parse_args()
    new = rendered()
    if PAGE.read_text(encoding="utf-8") == new:
        return 0
    if options.check:
        print(f"{PAGE} is not up to date: python tools/write_primitives.py")
        return 1
    PAGE.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

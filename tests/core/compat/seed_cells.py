"""Run the cells of a document in order: ``python seed_cells.py DOCUMENT BACKEND``, for test_seeds.py.

It prints a JSON list of what each cell printed, and of the error that it raised. The documents are guide_cells.py,
graph_cells.py and lecture_cells.py; random numbers and addresses in the printed text stand as patterns of `re`.
"""

from __future__ import annotations

import contextlib
import io
import json
import runpy
import sys
import traceback
from pathlib import Path
from typing import Any

DOCUMENTS: dict[str, list[tuple[str, str, str]]] = {
    name: runpy.run_path(str(Path(__file__).parent / f"{name}_cells.py"))["CELLS"]
    for name in ("guide", "graph", "lecture")
}


def outcome(code: str, scope: dict[str, Any]) -> dict[str, str]:
    """What a cell printed, and its error."""
    printed = io.StringIO()
    error = ""
    with contextlib.redirect_stdout(printed):
        try:
            exec(code, scope)
        except Exception:
            error = traceback.format_exc()
    return {"printed": printed.getvalue(), "error": error}


def main(document: str, backend: str) -> None:
    """Print what the cells of a document printed, as JSON."""
    import polytape as pt
    from polytape.compat.aliases import tensorflow_modules

    pt.set_backend(backend)
    pt.random.seed(0)  # the documents have no seed; a test should draw the same numbers each time
    scope: dict[str, Any] = {"__name__": "__main__"}
    with tensorflow_modules():
        print(json.dumps([outcome(code, scope) for _, code, _ in DOCUMENTS[document]]))


if __name__ == "__main__":
    main(*sys.argv[1:])

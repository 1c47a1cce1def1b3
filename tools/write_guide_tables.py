"""Generate the tables of docs/guide and docs/backends: `python tools/write_guide_tables.py` (`--check` only compares).

A table is between ``<!-- table: NAME -->`` and ``<!-- end -->``; `TABLES` has the names. The tables of names that
another library shares are rewritten only where that library is installed.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

import polytape as pt
from polytape import backend, dtypes, errors, foreign_names

__all__ = ["TABLES", "installed", "main", "needs", "rendered"]

DOCS = Path(__file__).resolve().parent.parent / "docs"
BLOCK = re.compile(r"(<!-- table: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
WIDTH: Final = 118  # characters of a line of names

ORDER: Final = (
    "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "float16", "bfloat16", "float32", "float64", "complex64", "complex128",
)  # fmt: skip
SHORT: Final = {
    name: name.replace("bfloat", "bf").replace("uint", "u").replace("int", "i").replace("float", "f") for name in ORDER
}
SHORT.update({"complex64": "c64", "complex128": "c128"})
KINDS: Final = {
    "b": "bool",
    "i": "signed integer",
    "u": "unsigned integer",
    "f": "real floating",
    "c": "complex floating",
}
# By library: its modules, and the namespace of polytape that has the same purpose.
MODULES: Final[dict[str, dict[str, str]]] = {
    "numpy": {"numpy": "", "numpy.linalg": "linalg", "numpy.fft": "fft", "numpy.random": "random"},
    "torch": {
        "torch": "", "torch.nn.functional": "nn", "torch.linalg": "linalg", "torch.fft": "fft",
        "torch.special": "special",
    },
    "jax": {
        "jax.numpy": "", "jax.nn": "nn", "jax.numpy.linalg": "linalg", "jax.numpy.fft": "fft",
        "jax.scipy.special": "special", "jax.random": "random",
    },
}  # fmt: skip
# The modules that plugins may import; of some, only these names.
CONTRACT: Final[dict[str, tuple[str, ...]]] = {
    "polytape": ("Backend", "Kernel", "MemoryInfo", "Probe", "hookimpl", "kernel", "op", "register_backend"),
    "polytape.backend": (),
    "polytape.device": (),
    "polytape.dtypes": (),
    "polytape.errors": (),
    "polytape.plugins": (),
    "polytape.testing": (),
    "polytape.testing.plugin": (),
    "polytape.testing.suite": (),
    "polytape_numpy.kernels": ("build", "late"),
}
# NumPy's functions that are about its own memory, files, text and build.
NUMPY_ONLY: Final = re.compile(
    r"base_repr|binary_repr|busday|common_type|datetime|format_float|from(buffer|file|function|iter|pyfunc|regex|string)"
    r"|genfromtxt|get_|getbufsize|geterr|info$|is_busday|isfortran|isnat|iterable|loadtxt|may_share|min_scalar|mintypecode"
    r"|nested_iters|require|savetxt|set_|setbufsize|seterr|shares_memory|show_|test$|typename|asmatrix|bmat|isscalar"
)


def dtype_of(name: str) -> Any:
    """The dtype of a name."""
    return dtypes.lookup(name)


def dtype_rows() -> list[str]:
    """A row per dtype: kind, size, range, and the dtypes of sums and means."""
    rows = [
        "| dtype | kind | bytes | largest value | relative precision | sum | mean |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in ORDER:
        dtype = dtype_of(name)
        kind = "f" if name == "bfloat16" else dtype.kind
        largest, precision = "1", ""
        if kind in "iu":
            largest = f"{np.iinfo(dtype).max:,}"
        elif kind in "fc":
            info = pt.finfo(dtype)
            largest, precision = f"{float(info.max):.3g}", f"{float(info.eps):.2g}"
        x = pt.ones((2,), dtype=dtype)
        results = f"`{pt.sum(x).dtype}` | `{pt.mean(x).dtype}`"
        rows.append(f"| `{name}` | {KINDS[kind]} | {dtype.itemsize} | {largest} | {precision} | {results} |")
    return rows


def promotion_rows() -> list[str]:
    """The dtype of an op's result on operands of two dtypes."""
    rows = [f"| | {' | '.join(SHORT[name] for name in ORDER)} |", f"|---{'|---' * len(ORDER)}|"]
    for row in ORDER:
        cells = []
        for column in ORDER:
            try:
                cells.append(SHORT[dtypes.promote(dtype_of(row), dtype_of(column)).name])
            except errors.DTypeError:
                cells.append("error")
        rows.append(f"| **{SHORT[row]}** | {' | '.join(cells)} |")
    return rows


def number_rows() -> list[str]:
    """The dtype of an op's result on a tensor and a Python number."""
    numbers = (True, 1, 1.0, 1j)
    rows = ["| tensor | `True` | `1` | `1.0` | `1j` |", "|---|---|---|---|---|"]
    for name in ORDER:
        results = [f"`{dtypes.weak_promote(dtype_of(name), number).name}`" for number in numbers]
        rows.append(f"| `{name}` | {' | '.join(results)} |")
    return rows


def functions(module: Any) -> list[str]:
    """The public functions of a module: in its ``__all__`` if it has one; no classes, modules, types of scalars."""
    names = getattr(module, "__all__", None) or [name for name in dir(module) if not name.startswith("_")]
    values = {name: getattr(module, name, None) for name in names}
    return sorted(
        name
        for name, value in values.items()
        if callable(value) and not inspect.isclass(value) and not inspect.ismodule(value) and not name.endswith("_")
    )


def ours(namespace: str) -> Any:
    """A namespace of polytape; ``""`` is polytape itself."""
    return getattr(pt, namespace) if namespace else pt


def shared(library: str) -> list[str]:
    """The functions that are in a library and in polytape under the same name, a paragraph per module."""
    paragraphs = []
    for module, namespace in MODULES[library].items():
        have = set(ours(namespace).__all__)
        names = [name for name in functions(importlib.import_module(module)) if name in have]
        place = f"`pt.{namespace}`" if namespace else "`pt`"
        paragraphs += [f"`{module}` and {place} ({len(names)}):", "", *listed(names), ""]
    return paragraphs[:-1]


def missing(library: str) -> list[str]:
    """A library's functions that polytape has under no name, a paragraph per module."""
    paragraphs = []
    for module, namespace in MODULES[library].items():
        known = foreign_names.module_names().get(namespace, {})
        have = {*ours(namespace).__all__, *known}
        names = [
            name
            for name in functions(importlib.import_module(module))
            if name not in have and not NUMPY_ONLY.match(name)
        ]
        if names:
            paragraphs += [f"`{module}` ({len(names)}):", "", *listed(names), ""]
    return paragraphs[:-1]


def listed(names: Iterable[str]) -> list[str]:
    """Names as lines of code."""
    return textwrap.wrap(", ".join(f"`{name}`" for name in names), WIDTH, break_on_hyphens=False)


def contract_rows() -> list[str]:
    """The modules that plugins may import, each with its public names."""
    rows = ["| module | public names |", "|---|---|"]
    for name in CONTRACT:
        module = importlib.import_module(name)
        names = CONTRACT[name] or tuple(sorted(module.__all__))
        rows.append(f"| `{name}` | {', '.join(f'`{public}`' for public in names)} |")
    return rows


def argument_rows() -> list[str]:
    """The arguments of the classes that a plugin creates."""
    rows = ["| class | arguments |", "|---|---|"]
    for name in ("Backend", "Kernel", "Limits", "Probe", "MemoryInfo"):
        parameters = [
            parameter for parameter in inspect.signature(getattr(backend, name)).parameters if parameter != "self"
        ]
        rows.append(f"| `{name}` | {', '.join(f'`{parameter}`' for parameter in parameters)} |")
    return rows


def facade(table: Any = None) -> Iterator[Any]:
    """The tables of TensorFlow 1.7's names: that of ``tf``, then those of its namespaces."""
    root = importlib.import_module("polytape.compat.tf1").TABLE if table is None else table
    yield root
    for name in root.modules:
        module = root.find(name)
        if hasattr(module, "TABLE"):
            yield from facade(module.TABLE)


def facade_names() -> list[str]:
    """The names of TensorFlow 1.7 that `polytape.compat.tf1` has, a paragraph per namespace."""
    paragraphs = []
    for table in facade():
        names = [name for name in table.names() if name not in table.modules and not name.startswith("_")]
        space = ".".join(filter(None, ("tf", table.place)))
        paragraphs += [f"`{space}` ({len(names)}):", "", *listed(names), ""]
    return paragraphs[:-1]


def facade_advice() -> list[str]:
    """What programs write instead of names that the facade does not have: a row per remedy."""
    rows = ["| not here | write instead |", "|---|---|"]
    for table in facade():
        space = ".".join(filter(None, ("tf", table.place)))
        by_fix: dict[str, list[str]] = {}
        for name, fix in table.missing.items():
            by_fix.setdefault(fix, []).append(f"`{space}.{name}`")
        rows += [f"| {', '.join(names)} | {fix.replace('|', chr(92) + '|')} |" for fix, names in by_fix.items()]
    return rows


TABLES: Final[dict[str, Callable[[], list[str]]]] = {
    "dtypes": dtype_rows,
    "promotion": promotion_rows,
    "numbers": number_rows,
    "modules of the plugin API": contract_rows,
    "arguments of the plugin API": argument_rows,
    "names of tensorflow": facade_names,
    "instead of tensorflow": facade_advice,
    "missing from numpy": partial(missing, "numpy"),
    **{f"shared with {library}": partial(shared, library) for library in MODULES},
}


def needs(table: str) -> str:
    """The library that must be installed to generate a table; "" for none."""
    return next((library for library in MODULES if table.endswith(f" {library}")), "")


def installed(table: str) -> bool:
    """Whether a table can be generated here."""
    return not needs(table) or find_spec(needs(table)) is not None


def rendered(text: str) -> str:
    """The page with its tables regenerated, except those of libraries that are not installed."""

    def table(block: re.Match[str]) -> str:
        if not installed(block[2]):
            return block[0]
        return "\n".join([block[1], *TABLES[block[2]](), "", block[3]])

    return BLOCK.sub(table, text)


def main() -> int:
    """Rewrite the pages that are out of date; with ``--check``, return 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with status 1 if a page differs")
    options = parser.parse_args()
    stale = 0
    for page in sorted((*DOCS.glob("guide/*.md"), *DOCS.glob("backends/*.md"))):
        text = page.read_text(encoding="utf-8")
        new_text = rendered(text)
        if new_text != text:
            stale += 1
            print(f"docs/{page.relative_to(DOCS).as_posix()} {'is out of date' if options.check else 'rewritten'}")
            if not options.check:
                page.write_text(new_text, encoding="utf-8")
    return int(options.check and stale > 0)


if __name__ == "__main__":
    raise SystemExit(main())

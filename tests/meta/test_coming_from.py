"""The guides for those who come from another library: every name in their tables exists, here and there."""

from __future__ import annotations

import importlib
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import polytape as pt
from polytape.errors import UnknownNameError

CHECKOUT = Path(__file__).parents[2]
GUIDE = CHECKOUT / "docs" / "guide"
PAGES = sorted(GUIDE.glob("coming-from-*.md"))
# By the prefix of a name in a table: the library's module, and the namespace of polytape where a user looks for it.
PREFIXES = {
    "np": ("numpy", ""), "np.random": ("numpy.random", "random"), "np.linalg": ("numpy.linalg", "linalg"),
    "torch": ("torch", ""), "torch.special": ("torch.special", "special"), "torch.linalg": ("torch.linalg", "linalg"),
    "torch.func": ("torch.func", ""), "torch.autograd": ("torch.autograd", ""),
    "torch.autograd.functional": ("torch.autograd.functional", ""),
    "torch.optim": ("torch.optim", "optim"), "F": ("torch.nn.functional", "nn"),
    "jax": ("jax", ""), "jax.lax": ("jax.lax", ""), "jnp": ("jax.numpy", ""), "jax.nn": ("jax.nn", "nn"),
    "jax.random": ("jax.random", "random"), "jax.scipy.special": ("jax.scipy.special", "special"),
    "tf": ("tensorflow", ""), "tf.autodiff": ("tensorflow.autodiff", ""),
    "tf.math": ("tensorflow.math", ""), "tf.nn": ("tensorflow.nn", "nn"),
    "tf.random": ("tensorflow.random", "random"), "tf.linalg": ("tensorflow.linalg", "linalg"),
}  # fmt: skip
FOREIGN = ("NumPy", "PyTorch", "PyTorch (`F`)", "JAX", "TensorFlow 2")
CODE = re.compile(r"`([^`]+)`")


def rows(page: Path, header: str) -> list[tuple[str, str]]:
    """The first two cells of each row of the tables whose header line begins with ``header``."""
    found, inside = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        inside = line.startswith(header) or (inside and line.startswith("|"))
        if inside and not line.startswith((header, "|---")):
            cells = line.replace("\\|", "!").strip("|").split(" | ")
            found.append((cells[0].strip(), cells[1].strip()))
    return found


def named(code: str) -> str:
    """The dotted name at the beginning of a piece of code."""
    match = re.match(r"[A-Za-z_][\w.]*", code)
    return match[0] if match else ""


NAMES = [
    (page.stem.removeprefix("coming-from-"), named(code), ours)
    for page in PAGES
    for library in FOREIGN
    for theirs, ours in rows(page, f"| {library} | polytape | note |")
    for code in CODE.findall(theirs)
]


def ours_named(cell: str) -> list[str]:
    """The names of polytape in a cell, such as ``pt.concat`` and ``x.reshape``."""
    return [name for code in CODE.findall(cell) for name in re.findall(r"\b(?:pt|x|tape)\.[A-Za-z_][\w.]*", code)]


def exists(name: str) -> bool:
    """Whether polytape has ``pt.some.name``, or a tensor or a tape the attribute."""
    first, *rest = name.split(".")
    value: Any = {"pt": pt, "x": pt.Tensor, "tape": pt.GradientTape}[first]
    for part in rest:
        if not hasattr(value, part):
            return False
        value = getattr(value, part)
    return True


def looked_up(name: str) -> Any:
    """What polytape has under the name that a user would try: ``pt.cat`` for ``torch.cat``, ``x.view`` for ``x.view``.

    Raises:
        AttributeError: nothing.
    """
    prefix, _, last = name.rpartition(".")
    if prefix == "x":
        return getattr(pt.ones((2, 2)), last)
    namespace = PREFIXES[prefix][1]
    return getattr(getattr(pt, namespace) if namespace else pt, last)


def test_the_tables_are_read() -> None:
    assert {page for page, _, _ in NAMES} == {"numpy", "pytorch", "jax", "tensorflow"} and len(NAMES) > 250
    assert all(name for _, name, _ in NAMES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_name_of_ours_in_a_table_exists(page: Path) -> None:
    cells = [cell for library in FOREIGN for _, cell in rows(page, f"| {library} | polytape | note |")]
    names = [name for cell in cells for name in ours_named(cell)]
    assert names and not [name for name in names if not exists(name)]
    same = [code for cell, _ in rows(page, "| function | difference |") for code in CODE.findall(cell)]
    missing = [code for code in same if not exists(f"pt.{named(code)}") and not exists(named(code))]
    # NumPy's where with one argument and the like: what is here has another meaning, but it is here.
    assert same and not missing, missing


@pytest.mark.parametrize(("page", "name", "cell"), NAMES, ids=[f"{page}-{name}" for page, name, _ in NAMES])
def test_a_foreign_name_is_ours_too_or_its_error_says_what_to_write(page: str, name: str, cell: str) -> None:
    try:
        looked_up(name)
    except UnknownNameError as error:
        words = [ours.rpartition(".")[2] for ours in ours_named(cell)]
        symbols = [code for code in CODE.findall(cell) if not ours_named(f"`{code}`")]
        said = any(re.search(rf"\b{re.escape(word)}\b", error.fix) for word in words)
        assert said or any(symbol in error.fix for symbol in symbols), f"{name}: {cell}, but {error.fix}"
    except AttributeError:
        pytest.fail(
            f"{name}: the error for it does not say {cell}; add it to polytape.foreign_modules or foreign_names"
        )


@pytest.mark.parametrize("library", ["numpy", "torch", "jax", "tensorflow"])
def test_every_foreign_name_exists_in_its_library(library: str) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    missing = []
    for page, name, _ in NAMES:
        prefix, _, last = name.rpartition(".")
        is_method = prefix == "x" and page == "pytorch"
        module = "torch.Tensor" if is_method else PREFIXES.get(prefix, ("", ""))[0]
        if module.partition(".")[0] != library:
            continue
        holder: Any = importlib.import_module(library)
        for part in module.split(".")[1:]:
            holder = getattr(holder, part, None) or importlib.import_module(module)
        if not hasattr(holder, last):
            missing.append(name)
    assert not missing


def table_pages() -> list[tuple[Path, str]]:
    """Each generated table: its page and its name."""
    paths = sorted((*GUIDE.glob("*.md"), *(CHECKOUT / "docs" / "backends").glob("*.md")))
    pages = [(page, page.read_text(encoding="utf-8")) for page in paths]
    return [(page, name) for page, text in pages for name in re.findall(r"<!-- table: ([\w ]+) -->", text)]


@pytest.mark.parametrize(("page", "table"), table_pages(), ids=lambda value: getattr(value, "stem", value))
def test_a_generated_table_of_the_guide_is_up_to_date(page: Path, table: str) -> None:
    sys.path.insert(0, str(CHECKOUT / "tools"))
    try:
        tool = importlib.import_module("write_guide_tables")
    finally:
        sys.path.remove(str(CHECKOUT / "tools"))
    if not tool.installed(table):
        pytest.skip(f"{tool.needs(table)} is not installed")
    text = page.read_text(encoding="utf-8")
    block = next(block for block in tool.BLOCK.finditer(text) if block[2] == table)
    library = tool.needs(table)
    if not library:
        assert tool.rendered(block[0]) == block[0], "run python tools/write_guide_tables.py"
        return
    # Releases of a library differ in their names: those listed that exist here must be shared, or missing, still.
    listed, now = set(CODE.findall(block[0])), set(CODE.findall(tool.rendered(block[0])))
    theirs = {name for module in tool.MODULES[library] for name in tool.functions(importlib.import_module(module))}
    assert (listed & theirs) - now == set(), "run python tools/write_guide_tables.py"
    assert len(now - listed) <= 5, f"run python tools/write_guide_tables.py with {library}"

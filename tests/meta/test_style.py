"""The habits of the code that a linter does not know."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PRODUCT = ("core", "backends", "examples", "tools")
FOLDERS = (*PRODUCT, "tests", "asv_bench/benchmarks")
FILES = [CHECKOUT / "setup.py", *(path for folder in FOLDERS for path in sorted((CHECKOUT / folder).rglob("*.py")))]
PUBLIC_FILES = [path for path in FILES if path.relative_to(CHECKOUT).parts[0] in ("core", "backends")]
# What setup.py compiles, read from there.
RING_NAMES = ast.literal_eval(re.search(r"^RING = (\(.*?^\))", FILES[0].read_text(encoding="utf-8"), re.M | re.S)[1])  # type: ignore[index]  # it is there
RING = [CHECKOUT / "core/polytape" / f"{name}.py" for name in RING_NAMES]
MOST_LINES = 400
MOST_FUNCTION_LINES = 50
MOST_RING_LINES = 5300

# Put together here, so that this file passes its own test.
MACHINE_PATHS = [f"/{top}/" for top in ("work", "root", "farm", "home", "Users")] + ["C:" + "\\Users"]
HOSTS = [name + ".org" for name in ("pypi", "pythonhosted", "npmjs", "anaconda", "debian")]


def title(path: Path) -> str:
    """A test's name for a file."""
    return path.relative_to(CHECKOUT).as_posix()


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """All functions of a file, at any depth."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", FILES, ids=title)
def test_a_module_tells_one_story_in_400_lines(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= MOST_LINES, f"{title(path)} has {lines} lines; split it by family"


@pytest.mark.parametrize("path", FILES, ids=title)
def test_a_function_has_at_most_50_lines(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    long = {f.name: f.end_lineno - f.lineno + 1 for f in functions(tree) if f.end_lineno is not None}
    bad = {name: lines for name, lines in long.items() if lines > MOST_FUNCTION_LINES}
    assert not bad, f"{title(path)}: {bad} lines"


def test_the_kernel_ring_stays_small() -> None:
    lines = sum(path.read_text(encoding="utf-8").count("\n") for path in RING)
    assert lines < MOST_RING_LINES, f"the kernel ring has {lines} lines"


@pytest.mark.parametrize("path", PUBLIC_FILES, ids=title)
def test_every_parameter_and_result_is_annotated(path: Path) -> None:
    bad = []
    for function in functions(ast.parse(path.read_text(encoding="utf-8"))):
        spec = function.args
        named = [*spec.posonlyargs, *spec.args, *spec.kwonlyargs, *filter(None, (spec.vararg, spec.kwarg))]
        bare = [arg.arg for arg in named if arg.annotation is None and arg.arg not in ("self", "cls")]
        bad += [f"{function.name}({', '.join(bare)})"] if bare else []
        bad += [f"{function.name} -> ?"] if function.returns is None else []
    assert not bad, f"{title(path)}: {bad}"


def public(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    """Public functions, classes and methods, but for overloads and gradient rules (`def _`)."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield prefix + node.name, node
            yield from public(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
            if not any("overload" in text or text.endswith(".setter") for text in decorators):
                yield prefix + node.name, node


@pytest.mark.parametrize("path", [path for path in PUBLIC_FILES if "kernels" not in path.parts], ids=title)
def test_every_public_name_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bad = [name for name, node in public(tree.body) if not ast.get_docstring(node)]
    assert not bad, f"{title(path)}: {bad}"
    assert ast.get_docstring(tree) or not tree.body, f"{title(path)} does not say what it is for"


@pytest.mark.parametrize("path", FILES, ids=title)
def test_an_ignore_names_its_rule_and_its_reason(path: Path) -> None:
    bad = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        bare_type = re.search(r"#\s*type:\s*ignore(?!\[[\w-]+)", line)
        lint = re.search(r"#\s*noqa\b:?\s*((?:[A-Z]+\d+[,\s]*)*)(.*)", line)
        reasonless = lint and not (lint[1] and re.search(r"\w{3}", lint[2]))
        # A pattern that looks for such comments is none.
        if (bare_type or reasonless) and "re.search" not in line:
            bad.append(f"line {number}: {line.strip()}")
    assert not bad, f"{title(path)}: {bad}"


def tracked() -> list[Path]:
    """The files git tracks, or would with `git add`; none outside a git checkout."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError):
        return []
    return [path for name in listed.split("\0") if name and (path := CHECKOUT / name).is_file()]


def test_no_file_names_a_machine_s_paths_or_a_package_registry() -> None:
    files = tracked()
    if not files:
        pytest.skip("not a git checkout, so nothing tells the project's files from others")
    bad = []
    for path in files:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture
        bad += [f"{title(path)}: {word}" for word in (*MACHINE_PATHS, *HOSTS) if word in text]
    assert not bad, bad

"""Dependencies point one way: read from the imports themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
CORE = CHECKOUT / "core" / "polytape"
CORE_FILES = sorted(CORE.rglob("*.py"))
_SETUP = (CHECKOUT / "setup.py").read_text(encoding="utf-8")
RING_NAMES = ast.literal_eval(re.search(r"^RING = (\(.*?^\))", _SETUP, re.M | re.S)[1])  # type: ignore[index]  # it is there
RING = [CORE / f"{name}.py" for name in RING_NAMES]
BACKENDS = {name: CHECKOUT / "backends" / name / f"polytape_{name}" for name in ("numpy", "numba", "cupy")}
BACKENDS["sim"] = CHECKOUT / "examples" / "sim_backend" / "polytape_sim"
BACKEND_FILES = [path for folder in BACKENDS.values() for path in sorted(folder.rglob("*.py"))]

# What a third party may import from polytape, and so all that a backend may: these modules' `__all__`.
CONTRACT = {"polytape", "polytape.backend", "polytape.device", "polytape.dtypes", "polytape.errors", "polytape.plugins"}
# A third party's tests may also use the kit.
KIT = "polytape.testing"
FOREIGN = {"numba", "cupy", "polytape_numpy", "polytape_numba", "polytape_cupy", "polytape_sim", "torch", "jax"}
BACKEND_NAMES = {"numpy", "numba", "cupy", "sim", "torch", "jax"}

# NumPy in core is for host values: dtype objects, scalars and arrays as they come in and go out, printing,
# checkpoint bytes. No function here computes an op.
NUMPY_NAMES = {
    "__version__": "what `polytape doctor` prints",
    "arange": "positions that decide a shape",
    "array": "a host copy of what the user gave",
    "array2string": "printing",
    "asarray": "host values of nested lists, read-only views out",
    "ascontiguousarray": "checkpoint bytes",
    "bitwise_xor": "checksums of records",
    "bool_": "a type of scalar",
    "complexfloating": "a type of scalar",
    "delete": "positions that decide a shape",
    "dtype": "the dtype objects",
    "empty": "buffers that a checkpoint is read into",
    "finfo": "a dtype's limits",
    "floating": "a type of scalar",
    "frombuffer": "checkpoint bytes",
    "from_dlpack": "host values of other libraries",
    "generic": "the type of every NumPy scalar",
    "iinfo": "a dtype's limits",
    "insert": "positions that decide a shape",
    "integer": "a type of scalar",
    "load": "files that `polytape run` is given",
    "ndarray": "the type of host values",
    "number": "a type of scalar",
    "polynomial": "the constants of a quadrature",
    "printoptions": "printing",
    "promote_types": "the table of dtypes",
    "repeat": "positions that decide a shape",
    "save": "files that `polytape run` writes",
    "shares_memory": "whether a host value is a view",
    "ufunc": "a type of kernel, which takes out= by position",
    "uint8": "checkpoint bytes",
    "uint16": "the bits of bfloat16 in a checkpoint",
    "uint32": "checksums of records",
}


# The modules directly in core/polytape. A room's own docstring says what it may import; see `may_import`.
GROUND = {
    "__main__": {"cli"},
    "errors": set(),
    "expression": set(),
    "locks": set(),
    "dtypes": {"errors"},
    "device": {"errors"},
    "backend": {"capabilities", "cluster", "device", "errors", "expression"},
    "capabilities": {"device", "errors"},
    "cluster": set(),
    "foreign_modules": set(),
    "foreign_names": {"errors", "foreign_modules", "tracebacks"},
    "settings": {"errors", "locks"},
    "buildinfo": {"errors"},
    "tracebacks": {"settings"},
    "fft": {"ops"},
    "linalg": {"ops"},
    "special": {"ops"},
    "inspection": {"device", "dtypes", "errors", "placement", "plugins", "tensors"},
}  # fmt: skip
# A package that re-exports names of its own modules, and so imports upwards within its room.
FACES = {"polytape", "polytape.plugins", "polytape.autodiff", "polytape.testing"}


def title(path: Path) -> str:
    """A test's name for a file."""
    return path.relative_to(CHECKOUT).as_posix()


def module_of(path: Path) -> str:
    """A file's module name: the path below its source root."""
    root = next(root for root in path.parents if not (root / "__init__.py").exists() and root.name != "kernels")
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def statements(body: list[ast.stmt], inside_functions: bool, types: bool = False) -> Iterator[ast.stmt]:
    """Statements that run at import, and if asked those in functions, and those for type checkers alone."""
    for statement in body:
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test) and not types:
            yield from statements(statement.orelse, inside_functions)
            continue
        yield statement
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef) and not inside_functions:
            continue
        for field in ("body", "orelse", "finalbody"):
            yield from statements(getattr(statement, field, []), inside_functions, types)
        for handler in getattr(statement, "handlers", []):
            yield from statements(handler.body, inside_functions, types)


def imports(path: Path, *, lazy: bool, types: bool = False) -> tuple[tuple[str, str], ...]:
    """What a file imports: (module, name), with name "" for a plain import."""
    return every_import(path)[lazy, types]


@cache  # a file is read as Python once for all tests; its tree would need much memory
def every_import(path: Path) -> dict[tuple[bool, bool], tuple[tuple[str, str], ...]]:
    """What a file imports, by whether imports within functions and those for type checkers count."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return {
        (lazy, types): tuple(imports_of(path, statements(body, lazy, types)))
        for lazy in (False, True)
        for types in (False, True)
    }


def imports_of(path: Path, among: Iterator[ast.stmt]) -> Iterator[tuple[str, str]]:
    """What the statements of a file import."""
    package = module_of(path).split(".")
    if path.name != "__init__.py":
        package.pop()
    for statement in among:
        if isinstance(statement, ast.Import):
            yield from ((alias.name, "") for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            above = package[: len(package) - statement.level + 1] if statement.level else []
            module = ".".join([*above, *([statement.module] if statement.module else [])])
            yield from ((module, alias.name) for alias in statement.names)


def test_core_imports_no_backend() -> None:
    imported = {title(path): {module.split(".")[0] for module, _ in imports(path, lazy=True)} for path in CORE_FILES}
    bad = {name: sorted(found & FOREIGN) for name, found in imported.items() if found & FOREIGN}
    assert not bad, f"imported: {bad}; reach it through a backend hook"


# Modules that the ring needs at once, although none runs per op.
NEEDED = [
    CORE / f"{name}.py"
    for name in ("__init__", "backend", "dispatch/mixed_devices", "dispatch/resolve", "errors", "locks")
]


@pytest.mark.parametrize("path", RING, ids=title)
def test_the_ring_imports_nothing_of_the_outer_ring_when_it_loads(path: Path) -> None:
    ring = {module_of(file) for file in [*RING, *NEEDED]}
    bad = set()
    for module, name in imports(path, lazy=False):
        if module == "polytape" or module.startswith("polytape."):
            target = f"{module}.{name}" if f"{module}.{name}" in ring else module
            if target not in ring - {"polytape"}:
                bad.add(f"{module}.{name}")
    assert not bad, f"{path.name} loads {sorted(bad)}; import it inside the function that needs it"


MODULES = {module_of(path): path for path in CORE_FILES}


# Never imported: it shows Tensor's methods to type checkers, and so names Tensor, whose base class it is for them.
TYPES_ALONE = "polytape.tensors.methods"


def neighbours(path: Path, *, at_import: bool = False) -> set[str]:
    """The files of core that a file names in its imports: wherever these stand, or only those that run at import."""
    found = set()
    for module, name in imports(path, lazy=not at_import, types=not at_import):
        target = f"{module}.{name}" if f"{module}.{name}" in MODULES else module
        if target in MODULES:
            found.add(target)
    return found - {module_of(path)}


def room_of(module: str) -> str:
    """The room (or ground module) that a module is in."""
    return [*module.split("."), ""][1]


def may_import(room: str) -> set[str]:
    """The rooms that a room may import: its docstring's last paragraph, "May import: `one`, `other`."."""
    if room in GROUND:
        return GROUND[room]
    docstring = ast.get_docstring(ast.parse((CORE / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    paragraph = docstring.split("\n\n")[-1]
    assert paragraph.startswith("May import: "), f"the docstring of {room} does not say what it may import"
    return set(re.findall(r"`(\w+)`", paragraph.split(";")[0]))


ROOMS = sorted({room_of(module) for module in MODULES} - {""})


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_what_its_docstring_says_and_nothing_else(room: str) -> None:
    """At import, inside functions, and for type checkers."""
    imported = set()
    for module, path in MODULES.items():
        if room_of(module) == room:
            imported |= {room_of(target) for target in neighbours(path)} - {"", room}
    assert imported == may_import(room)


def test_rooms_import_downwards() -> None:
    left = {room: may_import(room) for room in ROOMS}
    while left:
        lowest = {room for room, below in left.items() if not below & left.keys()}
        assert lowest, f"these rooms may import each other in a circle: {sorted(left)}"
        left = {room: below for room, below in left.items() if room not in lowest}


def test_no_file_of_core_is_in_a_circle_of_imports() -> None:
    left = {
        # The bodies and gradient rules of families use each other's ops, when they run (docs/decisions/0008).
        name: neighbours(path, at_import=name.startswith("polytape.ops.")) - FACES - {TYPES_ALONE}
        for name, path in MODULES.items()
        if name not in FACES and name != TYPES_ALONE
    }
    while left:
        ground = {name for name, below in left.items() if not below & left.keys()}
        assert ground, f"these import each other in a circle, or stand on one: {sorted(left)}"
        left = {name: below for name, below in left.items() if name not in ground}


@cache
def exported(module: str) -> set[str]:
    """A module's `__all__`, read from its source."""
    base = CHECKOUT / "core" / Path(*module.split("."))
    path = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return set(ast.literal_eval(statement.value))
    return set()


def test_a_backend_imports_only_what_a_third_party_may() -> None:
    bad = []
    for path in BACKEND_FILES:
        own = module_of(path).split(".")[0]
        for module, name in imports(path, lazy=True):
            top = module.split(".")[0]
            if top == "polytape" and not module.startswith(KIT):
                submodule = module == "polytape" and f"polytape.{name}" in CONTRACT
                known = module in CONTRACT and (not name or submodule or name in exported(module))
                bad += [] if known else [f"{title(path)}: {module}.{name}"]
            elif top.startswith("polytape_") and top != own and module != "polytape_numpy.kernels":
                bad.append(f"{title(path)}: {module}.{name}")
    assert not bad, f"imported: {bad}; the public contract is {sorted(CONTRACT)}"


def numpy_names(tree: ast.Module) -> dict[str, int]:
    """The names of numpy that a file uses at run time, each with a line."""
    # Annotations compute nothing.
    annotations = [getattr(node, field, None) for node in ast.walk(tree) for field in ("annotation", "returns")]
    left_out = {part for each in annotations if each is not None for part in ast.walk(each)}
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy"):
            found |= {} if node in left_out else {node.attr: node.lineno}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "numpy" and not node.level:
            found.update({alias.name: node.lineno for alias in node.names})
    return found


def host_values_alone(path: Path, tree: ast.Module) -> list[str]:
    """Core uses NumPy for host values only: ops are computed by kernels."""
    if "testing" in path.parts:
        return []
    return [f"np.{name} in line {line}" for name, line in numpy_names(tree).items() if name not in NUMPY_NAMES]


def backends_by_name(path: Path, tree: ast.Module) -> list[str]:
    """Core decides nothing by a backend's name: it asks the backend for the property instead."""
    bad = []
    for node in ast.walk(tree):
        sides: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.MatchValue):
            sides = [node.value]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "startswith":
            sides = list(node.args)
        for side in sides:
            literals = {part.value for part in ast.walk(side) if isinstance(part, ast.Constant)}
            if literals & BACKEND_NAMES:
                bad.append(f"comparison with a backend's name in line {side.lineno}: {ast.unparse(side)}")
    return bad


@pytest.mark.parametrize("rule", [host_values_alone, backends_by_name], ids=lambda rule: rule.__name__)
def test_a_rule_detects_its_fault(rule: Callable[[Path, ast.Module], list[str]]) -> None:
    faulty = "def f(name: np.cos) -> np.sin:\n    return np.add(1, 2) if name == 'numpy' else None"
    assert len(rule(CORE_FILES[0], ast.parse(faulty))) == 1


def test_core_uses_numpy_for_host_values_and_decides_nothing_by_a_backend_s_name() -> None:
    bad = []
    for (
        path
    ) in CORE_FILES:  # one test, since reading a file as Python costs more than all rules, and a test as much as one
        tree = ast.parse(path.read_text(encoding="utf-8"))
        bad += [f"{title(path)}: {x}" for rule in (host_values_alone, backends_by_name) for x in rule(path, tree)]
    assert not bad, "\n".join([*bad, f"host values: {sorted(NUMPY_NAMES)}; ask a backend for the property"])

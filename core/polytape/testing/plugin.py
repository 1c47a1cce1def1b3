"""A pytest plugin that runs each test with an argument ``backend`` on every usable backend.

Enable it with ``-p polytape.testing.plugin`` or ``pytest_plugins = ["polytape.testing.plugin"]``. A test that also has
an argument ``case`` is run for every row. A backend that cannot be used appears as one skipped test with the reason.
On a backend that extends another, an op that runs the other's kernel is only tested for its values.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

from .. import plugins
from ..registry import tables
from .limits import kernels_in_chain

__all__ = ["pytest_addoption", "pytest_generate_tests"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option ``--polytape-backend NAME``, which may be repeated; default: all installed backends."""
    parser.getgroup("polytape").addoption(
        "--polytape-backend",
        action="append",
        default=[],
        metavar="NAME",
        help="run the tests of all backends on this backend only (may be repeated)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize the tests with an argument ``backend`` or ``case`` over the backends and the rows."""
    names = metafunc.fixturenames
    if any("backend" in str(marker.args[:1]) for marker in metafunc.definition.iter_markers("parametrize")):
        return  # the test parametrizes it itself
    if getattr(metafunc, "_arg2fixturedefs", {}).get("backend"):
        return  # the test suite has a fixture of that name
    if "backend" in names and "case" in names:
        metafunc.parametrize(("case", "backend"), _crossed(metafunc.config, metafunc.function.__name__))
    elif "backend" in names:
        metafunc.parametrize("backend", _backends(metafunc.config))
    elif "case" in names:
        from .cases import CASES

        metafunc.parametrize("case", CASES, ids=str)


def usable(config: pytest.Config) -> dict[str, str]:
    """The backends to test, each with the reason why it cannot be used, or "" if it can."""
    requested: list[str] = config.getoption("--polytape-backend")
    if requested:
        for name in requested:
            plugins.get_backend(name)  # raises an error: a backend that was requested by name must not be skipped
        return dict.fromkeys(requested, "")
    return {
        status.name: "" if status.status == "ready" else f"{status.name} is {status.status}: {status.reason}"
        for status in plugins.backends()
    }


def _backends(config: pytest.Config) -> list[Any]:
    return [
        pytest.param(name, marks=pytest.mark.skip(reason=reason)) if reason else name
        for name, reason in usable(config).items()
    ]


# The check that also runs for ops whose kernel belongs to a backend that the tested one extends.
_FOR_INHERITED: Final = "test_values_dtypes_and_shapes_are_the_reference_s"


def _inherited(op: Any, backend: str) -> bool:
    """Whether an op on a backend runs a kernel of a backend that it extends, which has tests of its own."""
    owner = plugins.get_backend(backend)
    return bool(owner.extends) and not tables.kernels_of(backend, op.name) and bool(kernels_in_chain(backend, op.name))


def _crossed(config: pytest.Config, check: str) -> list[Any]:
    from .cases import CASES

    parameters: list[Any] = []
    for name, reason in usable(config).items():
        if reason:
            parameters.append(pytest.param(CASES[0], name, id=name, marks=pytest.mark.skip(reason=reason)))
            continue
        cases = [case for case in CASES if check == _FOR_INHERITED or not _inherited(case.op, name)]
        parameters += [pytest.param(case, name, id=f"{case}-{name}") for case in cases]
    return parameters

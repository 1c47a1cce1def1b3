"""A pytest plugin: a test that takes ``backend`` is run on every backend that is installed and usable.

Switched on with ``-p polytape.testing.plugin`` or ``pytest_plugins = ["polytape.testing.plugin"]``. A test that takes
``case`` as well is run for every row. A backend that cannot be used is one skipped test, with its reason.
"""

from __future__ import annotations

from typing import Any

import pytest

from .. import plugins

__all__ = ["pytest_addoption", "pytest_generate_tests"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--polytape-backend NAME``, as often as wanted; default: all that are installed."""
    parser.getgroup("polytape").addoption(
        "--polytape-backend",
        action="append",
        default=[],
        metavar="NAME",
        help="run the tests of all backends on this one (may be repeated)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Cross the tests that ask for ``backend``, and for ``case``, with both."""
    names = metafunc.fixturenames
    if any("backend" in str(marker.args[:1]) for marker in metafunc.definition.iter_markers("parametrize")):
        return  # the test says itself which
    if getattr(metafunc, "_arg2fixturedefs", {}).get("backend"):
        return  # somebody else's fixture of that name
    if "backend" in names and "case" in names:
        metafunc.parametrize(("case", "backend"), _crossed(metafunc.config))
    elif "backend" in names:
        metafunc.parametrize("backend", _backends(metafunc.config))
    elif "case" in names:
        from .cases import CASES

        metafunc.parametrize("case", CASES, ids=str)


def usable(config: pytest.Config) -> dict[str, str]:
    """Each backend asked for, with the reason why it cannot be used; empty where it can."""
    asked: list[str] = config.getoption("--polytape-backend")
    if asked:
        for name in asked:
            plugins.get_backend(name)  # an error, not a skip: somebody named it
        return dict.fromkeys(asked, "")
    return {
        one.name: "" if one.status == "ready" else f"{one.name} is {one.status}: {one.reason}"
        for one in plugins.backends()
    }


def _backends(config: pytest.Config) -> list[Any]:
    return [
        pytest.param(name, marks=pytest.mark.skip(reason=reason)) if reason else name
        for name, reason in usable(config).items()
    ]


def _crossed(config: pytest.Config) -> list[Any]:
    from .cases import CASES

    found: list[Any] = []
    for name, reason in usable(config).items():
        if reason:
            found.append(pytest.param(CASES[0], name, id=name, marks=pytest.mark.skip(reason=reason)))
        else:
            found += [pytest.param(case, name, id=f"{case}-{name}") for case in CASES]
    return found

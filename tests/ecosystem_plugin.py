"""A pytest plugin that adds polytape to the array libraries which the tests of other projects run on.

tests/run_ecosystem.py runs pytest with ``-p ecosystem_plugin``. The environment variable ECOSYSTEM_SUITE names the
suite, ECOSYSTEM_LIBRARY the array library: ``polytape``, or the one that its results are compared with.
"""

from __future__ import annotations

import enum
import importlib
import itertools
import os
import sys
import types
from collections.abc import Iterator
from typing import Any

import pytest

LIBRARY = os.environ["ECOSYSTEM_LIBRARY"]


def in_array_api_extra() -> None:
    """Replace the enumeration of libraries by one with polytape: an Enum with members cannot be subclassed."""
    backends = importlib.import_module("array_api_extra._lib._backends")
    known = backends.Backend

    def fill(namespace: Any) -> None:
        for name, value in known.__dict__.items():
            if isinstance(value, property | types.FunctionType) and not name.startswith("_"):
                namespace[name] = value
        for member in known:
            namespace[member.name] = member.value
        namespace["POLYTAPE"] = "polytape"

    extended: Any = types.new_class("Backend", (enum.Enum,), exec_body=fill)
    backends.Backend = extended
    testing = sys.modules.get("array_api_extra._lib._testing")
    assert testing is None or not hasattr(testing, "Backend"), "it was imported before the plugin"


def in_einops() -> None:
    """Let einops' tests make and read tensors of polytape."""
    importlib.import_module("polytape.interop.einops")
    backends = importlib.import_module("einops._backends")
    tests = importlib.import_module("einops.tests")
    by_name = {backend.framework_name: backend for backend in _subclasses(backends.AbstractBackend)}

    def collect(symbolic: bool = False, layers: bool = False) -> list[Any]:
        return [] if symbolic or layers else [by_name[LIBRARY]()]

    tests.collect_test_backends = collect  # type: ignore[attr-defined]  # the tests import it from there


def _subclasses(cls: type) -> Iterator[Any]:
    for child in cls.__subclasses__():
        yield child
        yield from _subclasses(child)


def in_scikit_learn() -> None:
    """Yield one library, in two precisions, where scikit-learn yields all."""
    utilities = importlib.import_module("sklearn.utils._array_api")
    device = "cpu" if LIBRARY == "torch" else None
    pair = utilities.NamespaceAndDevice

    def namespaces(include_numpy_namespaces: bool = True) -> Iterator[str]:
        yield LIBRARY

    def combinations(include_numpy_namespaces: bool = True) -> Iterator[tuple[str, str | None, str]]:
        yield from itertools.product([LIBRARY], [device], ["float64", "float32"])

    def mixed() -> Iterator[tuple[Any, Any, str]]:
        yield pair("array_api_strict", "device1"), pair(LIBRARY, device), f"array_api_strict to {LIBRARY}"
        yield pair(LIBRARY, device), pair("numpy", None), f"{LIBRARY} to numpy"
        yield pair("numpy", None), pair(LIBRARY, device), f"numpy to {LIBRARY}"

    utilities.yield_namespaces = namespaces  # type: ignore[attr-defined]  # the tests import these from there
    utilities.yield_namespace_device_dtype_combinations = combinations  # type: ignore[attr-defined]
    utilities.yield_mixed_namespace_input_permutations = mixed  # type: ignore[attr-defined]


def in_scipy() -> None:
    """Run SciPy's tests that take the fixture ``xp`` on one library."""
    conftest = importlib.import_module("scipy.conftest")
    conftest.xp_known_backends.add(LIBRARY)
    namespace = importlib.import_module(LIBRARY)
    parameter = pytest.param(namespace, id=LIBRARY, marks=pytest.mark.array_api_backends)
    conftest.xp = pytest.fixture(params=[parameter])(conftest.xp.__wrapped__)  # type: ignore[attr-defined]


def in_opt_einsum() -> None:
    """Build the operands of opt_einsum's tests of contractions as arrays of the library."""
    testing = importlib.import_module("opt_einsum.testing")
    build_views, asarray = testing.build_views, importlib.import_module(LIBRARY).asarray

    def built(*args: Any, **options: Any) -> list[Any]:
        return [asarray(view) for view in build_views(*args, **options)]

    testing.build_views = built  # type: ignore[attr-defined]  # the tests import it from there


SUITES = {
    "array-api-extra": in_array_api_extra,
    "einops": in_einops,
    "opt_einsum": in_opt_einsum,
    "scikit-learn": in_scikit_learn,
    "scipy": in_scipy,
}
SUITES[os.environ["ECOSYSTEM_SUITE"]]()

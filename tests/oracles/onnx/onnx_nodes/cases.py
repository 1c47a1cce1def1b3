"""The node tests of ONNX: loading them by module, and why some of them cannot run."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
import warnings
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, numpy_helper

import polytape as pt
from polytape.interop.onnx.loading.registry import OPS, as_dtype

__all__ = ["Case", "cases_of", "modules", "reason_against"]

PACKAGE = "onnx.backend.test.case.node"
RANDOM = "the result depends on the generator of random numbers"
# Ops without a function in polytape's ops, and single tests, each with the reason.
UNSUPPORTED = {
    "Bernoulli": RANDOM,
    "ImageDecoder": "it decodes image files",
    "LabelEncoder": "it looks up strings",
    "RandomUniformLike": RANDOM,
    "RegexFullMatch": "it takes strings",
    "StringConcat": "it takes strings",
    "StringNormalizer": "it takes strings",
    "StringSplit": "it takes strings",
    "TfIdfVectorizer": "it counts phrases in a text",
    "TreeEnsemble": "it evaluates decision trees",
}
EXCLUDED = {
    r"training_dropout(_default)?(_mask)?": RANDOM,
    r"roialign_mode_max": "ONNX takes the largest of the products of elements with their weights, not of the samples",
}


class Case(NamedTuple):
    """One node test: a model, its inputs and the outputs that ONNX expects, in the order of the graph's."""

    name: str
    model: ModelProto
    inputs: dict[str, Any]
    expected: list[Any]


def modules() -> list[str]:
    """The modules that contain node tests, most of which test one op."""
    package = importlib.import_module(PACKAGE)
    found = pkgutil.walk_packages(package.__path__, f"{PACKAGE}.")
    return sorted(x.name.removeprefix(f"{PACKAGE}.") for x in found if not x.ispkg and not x.name.endswith("_data"))


@functools.cache
def cases_of(module: str) -> list[Case]:
    """The tests that a module contains. They are made when it is imported, from random numbers with a fixed seed."""
    package = importlib.import_module(PACKAGE)
    state = np.random.get_state()
    before = len(package._NodeTestCases)
    np.random.seed(zlib.crc32(module.encode()))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # expected values overflow on purpose
        importlib.import_module(f"{PACKAGE}.{module}")
    np.random.set_state(state)
    return [_case(test) for test in package._NodeTestCases[before:]]


def _case(test: Any) -> Case:
    inputs, expected = test.data_sets[0]
    names = [x.name for x in test.model.graph.input]
    return Case(
        test.name.removeprefix("test_"),
        test.model,
        dict(zip(names, map(_plain, inputs), strict=True)),
        [_plain(x) for x in expected],
    )


def _plain(x: Any) -> Any:
    return numpy_helper.to_array(x) if isinstance(x, TensorProto) else x


def _nodes(graph: GraphProto) -> Iterator[Any]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == AttributeProto.GRAPH:
                yield from _nodes(attribute.g)


@functools.cache
def _supported(dtype: np.dtype[Any]) -> bool:
    try:
        pt.zeros((), dtype=dtype)
    except pt.PolytapeError:
        return False
    return True


def _dtype_missing(x: Any) -> str:
    """The name of a dtype that polytape lacks, among the arrays of a value; otherwise the empty string."""
    if isinstance(x, list):
        return next(filter(None, map(_dtype_missing, x)), "")
    if x is None:
        return ""
    dtype = np.asarray(x).dtype
    return "" if dtype.kind in "biufcV" and _supported(dtype) else "string" if dtype.kind in "OUS" else str(dtype)


def reason_against(case: Case) -> str:
    """Why a test cannot run; the empty string if it can."""
    for pattern, reason in EXCLUDED.items():
        if re.fullmatch(pattern, case.name):
            return reason
    for x in [*case.inputs.values(), *case.expected]:
        if name := _dtype_missing(x):
            return f"polytape has no dtype {name}"
    for node in _nodes(case.model.graph):
        if node.op_type not in OPS:
            return UNSUPPORTED.get(node.op_type, f"there is no function for {node.op_type} yet")
        for attribute in node.attribute:
            if attribute.name in ("to", "dtype", "output_dtype") and attribute.i:
                dtype = as_dtype(attribute.i)
                if not _supported(dtype):
                    return f"polytape has no dtype {dtype}"
    return ""

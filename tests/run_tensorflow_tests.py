"""Run TensorFlow's own tests on the facade: `python tests/run_tensorflow_tests.py CHECKOUT [--graph] [FILE ...]`.

Development only. CHECKOUT is a checkout of TensorFlow 1.5 to 1.7, or its folders of tests. Tests that need TensorFlow's
C++ API or its internal functions fail; what is counted is how many pass. Eagerly, those of the kernels' tests are run
that TensorFlow itself also runs eagerly, and tests that need a session fail. With ``--graph``, all tests of kernels,
sessions, gradients, control flow, layers and training are run in graphs, with real sessions.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import functools
import json
import os
import queue
import re
import subprocess
import sys
import tempfile
import types
import unittest
import unittest.mock
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from polytape.compat import tf1 as tf
from polytape.compat.aliases import AliasModule, tensorflow_modules

EAGER = ("tensorflow/python/eager/*_test.py", "tensorflow/contrib/eager/python/*_test.py")
# Files with tests that TensorFlow runs both ways; only those are run.
BOTH = ("tensorflow/python/kernel_tests/**/*_test.py", "tensorflow/python/ops/*_test.py")
# Files with tests that TensorFlow runs in graphs.
GRAPH = (
    "tensorflow/python/kernel_tests/*_test.py",
    "tensorflow/python/ops/*_test.py",
    "tensorflow/python/client/session_test.py",
    "tensorflow/python/framework/ops_test.py",
    "tensorflow/python/layers/*_test.py",
    "tensorflow/python/training/*_test.py",
)
MARK = "run_in_graph_and_eager_modes"


class TestCase(unittest.TestCase):
    """The assertions of TensorFlow's test cases."""

    in_graph = False

    def setUp(self) -> None:
        """Names begin again, as with a new graph."""
        tf.reset_default_graph()

    def array(self, value: Any) -> Any:
        """A result as an array."""
        return value.numpy() if isinstance(value, tf.Tensor) and not self.in_graph else np.array(value)

    def evaluate(self, value: Any) -> Any:
        """Tensors as arrays, in any structure."""
        if self.in_graph:
            session = tf.get_default_session()
            if session is not None:
                return session.run(value)
            with tf.Session() as session:
                return session.run(value)
        if isinstance(value, dict):
            return {key: self.evaluate(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            items = [self.evaluate(item) for item in value]
            return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        return value.numpy() if isinstance(value, tf.Tensor) else value

    def assertAllEqual(self, a: Any, b: Any, msg: Any = None) -> None:
        """Elements and shapes are equal."""
        x, y = self.array(a), self.array(b)
        self.assertEqual(x.shape, y.shape, msg)
        np.testing.assert_array_equal(x, y)

    def assertAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: Any = None) -> None:
        """Elements are near; structures are compared item by item."""
        if isinstance(a, dict):
            self.assertEqual(a.keys(), b.keys())
            for key in a:
                self.assertAllClose(a[key], b[key], rtol, atol)
        elif isinstance(a, (list, tuple)) and any(isinstance(item, (tf.Tensor, list, tuple, np.ndarray)) for item in a):
            self.assertEqual(len(a), len(b))
            for x, y in zip(a, b, strict=True):
                self.assertAllClose(x, y, rtol, atol)
        else:
            np.testing.assert_allclose(self.array(a), self.array(b), rtol=rtol, atol=atol)

    def assertAllCloseAccordingToType(
        self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, **limits: Any
    ) -> None:
        """Elements are near, within what the dtype allows."""
        half = np.float16 in (self.array(a).dtype.type, self.array(b).dtype.type)
        self.assertAllClose(a, b, 1e-3 if half else rtol, 1e-3 if half else atol)

    def assertNear(self, f1: Any, f2: Any, err: float, msg: Any = None) -> None:
        """Two numbers are near."""
        self.assertLessEqual(abs(float(f1) - float(f2)), err, msg)

    def assertArrayNear(self, farray1: Any, farray2: Any, err: float) -> None:
        """All numbers are near."""
        np.testing.assert_allclose(self.array(farray1), self.array(farray2), atol=err, rtol=0)

    def assertShapeEqual(self, array: Any, tensor: Any) -> None:
        """The shapes are equal."""
        self.assertAllEqual(array.shape, tensor.shape.as_list())

    def assertStartsWith(self, actual: str, expected_start: str, msg: Any = None) -> None:
        """A text begins with another."""
        self.assertTrue(actual.startswith(expected_start), msg or f"{actual!r} does not begin with {expected_start!r}")

    def assertRaisesOpError(self, pattern: str) -> Any:
        """An OpError is raised."""
        return self.assertRaisesRegex(tf.errors.OpError, pattern)

    @contextlib.contextmanager
    def assertRaisesWithPredicateMatch(self, kind: type[Exception], test: Any) -> Iterator[None]:
        """An error that fits is raised."""
        try:
            yield
        except kind as error:
            matches = test(error) if callable(test) else re.search(test, str(error))
            if not matches:
                raise AssertionError(f"Exception of type {kind} does not match") from error
        else:
            self.fail(f"{kind.__name__} not raised")

    @contextlib.contextmanager
    def test_session(self, graph: Any = None, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """A session; eagerly, one that evaluates."""
        if self.in_graph:
            graph = tf.get_default_graph() if graph is None else graph
            sessions = self.__dict__.setdefault("sessions", {})  # one for all blocks of a test with the same graph
            if graph not in sessions:
                sessions[graph] = tf.Session(graph=graph)
            with graph.as_default(), sessions[graph].as_default():
                yield sessions[graph]
        else:
            yield types.SimpleNamespace(run=lambda fetches, feed_dict=None: self.evaluate(fetches))

    def get_temp_dir(self) -> str:
        """A new folder."""
        return tempfile.mkdtemp()

    cached_session = test_session
    assertRaisesRegexp = unittest.TestCase.assertRaisesRegex
    assertItemsEqual = unittest.TestCase.assertCountEqual
    assertRegexpMatches = unittest.TestCase.assertRegex


def marked(*args: Any, **kwargs: Any) -> Any:
    """`run_in_graph_and_eager_modes`: marks a test that runs eagerly too."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def run(self: Any, *rest: Any, **others: Any) -> Any:
            with self.test_session() if self.in_graph else contextlib.nullcontext():
                return function(self, *rest, **others)

        run.__dict__[MARK] = True
        return run

    return decorate(args[0]) if args and callable(args[0]) else decorate


def unchanged(*args: Any, **kwargs: Any) -> Any:
    """A decorator without effect."""
    return args[0] if args and callable(args[0]) else lambda function: function


class NeverRaisedError(Exception):
    """The error of TensorFlow's C API."""


def created(value: Any, context: Any = None, device: Any = None, dtype: Any = None) -> Any:
    """What TensorFlow's class of eager tensors makes when it is called."""
    return tf.constant(value, None if dtype is None else tf.as_dtype(dtype))


class _Context:
    """What the tests ask of a context."""

    device_name = ""
    scope_name = ""
    _handle = None

    def num_gpus(self) -> int:
        return 0

    def executing_eagerly(self) -> bool:
        return not TestCase.in_graph

    in_eager_mode = executing_eagerly


def modules() -> dict[str, types.ModuleType]:
    """TensorFlow's own modules for tests, by name."""

    def module(name: str, **attributes: Any) -> types.ModuleType:
        found = AliasModule(f"tensorflow.python.{name}")
        found.__dict__.update(attributes)
        return found

    test = dict(
        TestCase=TestCase, TensorFlowTestCase=TestCase, main=lambda *args: None, get_temp_dir=tempfile.mkdtemp,
        is_gpu_available=lambda *args, **kwargs: False, gpu_device_name=lambda *args: "", mock=unittest.mock,
        is_built_with_cuda=lambda: False, Benchmark=object, with_c_api=unchanged, GpuDeviceName=str,
        device=lambda *args, **kwargs: contextlib.nullcontext(), run_in_graph_and_eager_modes=marked,
        assert_no_new_tensors=unchanged,
        assert_no_garbage_created=unchanged, run_in_eager_and_graph_modes=marked, skip_if=unchanged,
        run_all_in_graph_and_eager_modes=unchanged, IsMklEnabled=lambda: False,
        CudaSupportsHalfMatMulAndConv=lambda: False, tensor_float_32_enabled=lambda: False,
    )  # fmt: skip
    context = dict(
        context=_Context, eager_mode=contextlib.nullcontext, graph_mode=contextlib.nullcontext,
        executing_eagerly=lambda: not TestCase.in_graph, in_eager_mode=lambda: not TestCase.in_graph,
        in_graph_mode=lambda: TestCase.in_graph,
        num_gpus=lambda *args: 0,
        EAGER_MODE=1, GRAPH_MODE=0,
    )  # fmt: skip
    names = ("eager.test", "platform.test", "platform.googletest", "framework.test_util")
    found = {f"tensorflow.python.{name}": module(name, **test) for name in names}
    found["tensorflow.python.framework.ops"] = module("framework.ops", EagerTensor=created, uid=lambda: 0)
    found["tensorflow.python.eager.core"] = module("eager.core", _NotOkStatusException=NeverRaisedError)
    found["tensorflow.contrib.summary.summary_ops"] = AliasModule("tensorflow.contrib.summary")
    shapes = dict(scalar=lambda: tf.TensorShape([]), unknown_shape=lambda ndims=None: tf.TensorShape(ndims))
    found["tensorflow.python.framework.tensor_shape"] = module("framework.tensor_shape", **shapes)
    for name in (
        "core", "core.protobuf", "core.protobuf.config_pb2", "core.framework", "contrib.layers", "contrib.rnn",
        "contrib.layers.python", "contrib.layers.python.layers", "contrib.summary.summary_test_util",
    ):  # fmt: skip
        found[f"tensorflow.{name}"] = AliasModule(f"tensorflow.python.{name}")
    moves = types.ModuleType("six.moves")
    moves.__dict__.update(queue=queue, xrange=range, range=range, zip=zip, reduce=functools.reduce)
    six = types.ModuleType("six")
    six.__dict__.update(moves=moves, string_types=(str,), iteritems=lambda x: iter(x.items()), PY3=True, PY2=False)
    sys.modules.setdefault("six", six)
    sys.modules.setdefault("six.moves", moves)
    found["tensorflow.python.eager.context"] = module("eager.context", **context)
    return found


def selected(suite: unittest.TestSuite, only_marked: bool) -> Iterator[unittest.TestCase]:
    """The single tests of a suite."""
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from selected(item, only_marked)
        elif isinstance(item, TestCase):
            name = item._testMethodName
            if name != "test_session" and (not only_marked or hasattr(getattr(item, name), MARK)):
                yield item


def run_file(path: Path, only_marked: bool, in_graph: bool) -> dict[str, str]:
    """By test: "" if it passed, otherwise the last line of its error."""
    outcomes: dict[str, str] = {}
    TestCase.in_graph = in_graph
    if not in_graph:
        tf.enable_eager_execution()
    with tensorflow_modules(modules()):
        found = types.ModuleType("tensorflow_test")
        sys.modules["tensorflow_test"] = found
        try:
            exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), found.__dict__)
        except Exception as error:
            return {"import": f"{type(error).__name__}: {error}".splitlines()[0]}
        for test in selected(unittest.defaultTestLoader.loadTestsFromModule(found), only_marked):
            result = unittest.TestResult()
            test.run(result)
            problems = [text for _, text in result.errors + result.failures]
            outcomes[test.id()] = summary(problems[0]) if problems else ""
    return outcomes


def summary(text: str) -> str:
    """The line of a traceback that names the error."""
    lines = [line for line in text.splitlines() if re.match(r"[\w.]+(Error|Exception|Warning)\b", line)]
    return lines[-1] if lines else text.splitlines()[-1]


def counted(path: Path, checkout: Path, only_marked: bool, in_graph: bool, timeout: int) -> dict[str, str]:
    """The outcomes of a file, run in its own process."""
    command = [sys.executable, __file__, str(checkout), str(path), "--inside"]
    command += ["--marked"] * only_marked + ["--graph"] * in_graph
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        found: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    except (subprocess.TimeoutExpired, IndexError, ValueError) as error:
        return {"import": f"{type(error).__name__}"}
    return found


def main() -> int:
    """Run the tests and print a count per file, and the most frequent errors."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--graph", action="store_true", help="run the tests in graphs, with sessions")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--marked", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--timeout", type=int, default=300, help="seconds per file (default 300)")
    parser.add_argument("--verbose", action="store_true", help="print every failure")
    options = parser.parse_args()
    if options.inside:
        with contextlib.redirect_stdout(sys.stderr):
            outcomes = run_file(options.files[0], options.marked, options.graph)
        print(json.dumps(outcomes))
        return 0
    eager = [path for pattern in EAGER for path in sorted(options.checkout.glob(pattern))]
    both = [
        path for pattern in BOTH for path in sorted(options.checkout.glob(pattern)) if MARK in path.read_text("utf-8")
    ]
    reasons: collections.Counter[str] = collections.Counter()
    passed = total = 0
    graph = [path for pattern in GRAPH for path in sorted(options.checkout.glob(pattern))]
    for path in options.files or (graph if options.graph else (*eager, *both)):
        marked_only = path in both and not options.graph
        outcomes = counted(path, options.checkout, marked_only, options.graph, options.timeout)
        good = sum(not text for text in outcomes.values())
        passed, total = passed + good, total + len(outcomes)
        reasons.update(text[:120] for text in outcomes.values() if text)
        print(f"{good:4d} of {len(outcomes):3d}  {os.path.relpath(path, options.checkout)}", flush=True)
        if options.verbose:
            print("".join(f"        {name}: {text}\n" for name, text in outcomes.items() if text), end="")
    print(f"{passed} of {total} passed")
    print("\n".join(f"{count:4d}  {text}" for text, count in reasons.most_common(40)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

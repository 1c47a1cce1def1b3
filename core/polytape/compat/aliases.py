"""The modules that programs for TensorFlow 1.7 import: ``tensorflow``, ``tensorflow.contrib.eager`` and the like.

`tensorflow_modules` makes ``import tensorflow as tf`` mean `polytape.compat.tf1` for as long as its block lasts, and
leaves `sys.modules` as it was. TensorFlow's own inner modules, ``tensorflow.python.*``, show the public names of the
same meaning.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any, Final

from ..errors import UnknownNameError

__all__ = ["AliasModule", "tensorflow_modules"]

ROOT: Final = "tensorflow"
# By inner module: its name -> the public name below `tf` or `tfe`.
INNER: Final[Mapping[str, Mapping[str, str]]] = {
    "tensorflow.python.eager.backprop": {
        "GradientTape": "tfe.GradientTape",
        "gradients_function": "tfe.gradients_function",
        "implicit_grad": "tfe.implicit_gradients",
        "implicit_val_and_grad": "tfe.implicit_value_and_gradients",
        "val_and_grad_function": "tfe.value_and_gradients_function",
    },
    "tensorflow.python.eager.context": {
        "executing_eagerly": "tf.executing_eagerly",
        "in_eager_mode": "tf.executing_eagerly",
        "num_gpus": "tfe.num_gpus",
        "device": "tf.device",
    },
    "tensorflow.python.eager.function": {"defun": "tfe.defun"},
    "tensorflow.python.eager.custom_gradient": {"custom_gradient": "tfe.custom_gradient"},
    "tensorflow.python.framework.random_seed": {"set_random_seed": "tf.set_random_seed"},
    "tensorflow.python.framework.tensor_util": {"constant_value": "tf.contrib.util.constant_value"},
    "tensorflow.python.framework.ops": {
        "enable_eager_execution": "tf.enable_eager_execution",
        "EagerTensor": "tf.Tensor",
    },
    "tensorflow.python.ops.resource_variable_ops": {"ResourceVariable": "tfe.Variable"},
    "tensorflow.python.ops.array_ops": {"listdiff": "tf.setdiff1d"},
    "tensorflow.python.ops.script_ops": {"eager_py_func": "tfe.py_func"},
    "tensorflow.python.ops.template": {"make_template_internal": "tf.make_template"},
    "tensorflow.python.training.checkpointable": {"Checkpointable": "tfe.Checkpointable"},
    "tensorflow.python.ops.variable_scope": {"EagerVariableStore": "tfe.EagerVariableStore"},
}
# The inner packages, which contain modules only: a name of one is a module, even if ``tf`` has an object of that name.
PACKAGES: Final = tuple(
    "tensorflow.python" + suffix
    for suffix in (
        "",
        ".client",
        ".data.ops",
        ".eager",
        ".framework",
        ".keras",
        ".layers",
        ".ops",
        ".platform",
        ".training",
        ".util",
    )
)
# Where a name of an inner module is looked for, in this order.
NAMESPACES: Final = (
    "",
    "nn",
    "linalg",
    "image",
    "train",
    "layers",
    "losses",
    "initializers",
    "bitwise",
    "spectral",
    "manip",
    "errors",
    "data",
    "keras",
    "keras.layers",
    "summary",
    "contrib.layers",
)


class AliasModule(ModuleType):
    """A module below ``tensorflow`` whose names are those of the facade.

    Args:
        name: of the module.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, f"polytape's {name}: the names of TensorFlow 1.7 that polytape.compat has.")
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        found = _attribute(self.__name__, name)
        setattr(self, name, found)
        return found

    def __dir__(self) -> list[str]:
        target = _module(self.__name__)
        return sorted({*self.__dict__, *(dir(target) if target is not None else ())})


def _module(path: str) -> Any:
    """The module of the facade that a module of TensorFlow is, or None."""
    if path == ROOT:
        return importlib.import_module("polytape.compat.tf1")
    if path == "tensorflow.contrib.eager" or path.startswith("tensorflow.contrib.eager."):
        return importlib.import_module("polytape.compat.tfe")
    if path.startswith("tensorflow.python") or path == "tensorflow.contrib":
        return None
    for public in ("tensorflow.contrib.summary", "tensorflow.contrib.layers"):
        if path.startswith(public):  # and its inner modules
            path = public
    found: Any = importlib.import_module("polytape.compat.tf1")
    for part in path.split(".")[1:]:
        found = getattr(found, part, None)
    return found


def _public(path: str) -> Any:
    """The object of a public name such as ``tf.nn.relu``."""
    root, *parts = path.split(".")
    found: Any = importlib.import_module("polytape.compat.tf1" if root == "tf" else "polytape.compat.tfe")
    for part in parts:
        found = getattr(found, part)
    return found


def _attribute(path: str, name: str) -> Any:
    """The attribute of a module below ``tensorflow``.

    Raises:
        AttributeError: there is none.
    """
    module = _module(path)
    if module is not None:
        return getattr(module, name)
    if path == "tensorflow.contrib":
        return importlib.import_module("tensorflow.contrib.eager") if name == "eager" else _public(f"tf.contrib.{name}")
    if path in PACKAGES:
        return importlib.import_module(f"{path}.{name}")
    public = INNER.get(path, {}).get(name)
    if public is not None:
        return _public(public)
    for namespace in NAMESPACES:
        with contextlib.suppress(AttributeError):
            return _public(".".join(filter(None, ("tf", namespace, name))))
    raise UnknownNameError(
        f"{path}.{name} is not part of polytape.compat.",
        expected="a name that TensorFlow 1.7 documents, or an inner name of the same meaning",
        got=f"{path}.{name}",
        fix="use the public API: tf.* or tfe.*",
    )


def _exists(path: str) -> bool:
    """Whether a module below ``tensorflow`` can be imported."""
    if path.startswith(("tensorflow.python", "tensorflow.contrib.")) or path in (ROOT, "tensorflow.contrib"):
        return True
    parent, _, name = path.rpartition(".")
    try:
        return isinstance(_attribute(parent, name), ModuleType)
    except AttributeError:
        return False


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules below ``tensorflow``.

    Args:
        extra: modules that are there as they are, by name.
    """

    def __init__(self, extra: Mapping[str, ModuleType]) -> None:
        self.extra = extra

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """The spec of a module below ``tensorflow``; None for any other, and for one that does not exist."""
        if fullname != ROOT and not fullname.startswith(f"{ROOT}."):
            return None
        if fullname not in self.extra and not _exists(fullname):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """The module, without its attributes."""
        return self.extra.get(spec.name) or AliasModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing: attributes are looked up when they are read."""


@contextlib.contextmanager
def tensorflow_modules(extra: Mapping[str, ModuleType] | None = None) -> Iterator[None]:
    """Within the block, ``import tensorflow`` and imports below it find the facade.

    Args:
        extra: further modules by name, which take the place of the facade's.
    """
    finder = _Finder(dict(extra or {}))
    before = {name: module for name, module in sys.modules.items() if _below_root(name)}
    for name in before:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _below_root(name)]:
            del sys.modules[name]
        sys.modules.update(before)


def _below_root(name: str) -> bool:
    return name == ROOT or name.startswith(f"{ROOT}.")

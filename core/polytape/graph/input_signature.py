"""Input signatures: which arguments a traced function takes, and which of their sizes it does not know.

The sizes of a call that its signature leaves open form a `Pattern`: which of them are equal to each other. Calls with
the same pattern share a template; where the graph does not depend on it, calls with all patterns do. Sizes 0 and 1 are
never open: an axis of size 1 broadcasts, and one of size 0 is empty.
"""

from __future__ import annotations

import inspect
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from ..dispatch import convert
from ..errors import DTypeError, PolytapeError, SettingError, ShapeError, TraceError
from ..registry.tensor_type import TensorType
from ..tensors.spec import TensorSpec
from ..tensors.symbol import type_text
from ..tensors.tensor import Tensor, describe
from ..tensors.variable import Variable
from .formulas import MOST, Sizes
from .signature import Call, Structure
from .sizes import SMALLEST
from .tracing import Shape

__all__ = ["InputSignature", "Pattern"]


class Pattern:
    """The open sizes of one call.

    Attributes:
        sizes: the open sizes that differ from each other.
        inputs: name, type and shape of each tensor; ``~k`` stands for ``sizes[k]``.
        key: identifies the pattern among those of calls whose arguments are otherwise the same.

    Args:
        inputs: name, type and shape of each tensor.
        open_axes: of each tensor.
        distinct: whether equal sizes are distinguished.
    """

    def __init__(
        self,
        inputs: Sequence[tuple[str, TensorType, Shape]],
        open_axes: Sequence[tuple[int, ...]],
        distinct: bool = False,
    ) -> None:
        found: dict[Hashable, int] = {}
        sizes: list[int] = []
        self.inputs: list[tuple[str, TensorType, Shape]] = []
        for tensor, ((name, kind, shape), axes) in enumerate(zip(inputs, open_axes, strict=True)):
            numbered = list(shape)
            for axis in axes:
                size = shape[axis]
                if size >= SMALLEST:
                    number = found.setdefault((tensor, axis) if distinct else size, len(found))
                    numbered[axis] = ~number
                    sizes[number:] = sizes[number:] or [size]
            self.inputs.append((name, kind, tuple(numbered)))
        self.sizes: Sizes = tuple(sizes)
        self.key: Hashable = tuple([shape for _, _, shape in self.inputs])

    def size(self, n: int) -> int:
        """A size in `inputs`, with the open ones as they are in this call."""
        return self.sizes[~n] if n < 0 else n


class InputSignature:
    """The types of a function's arguments.

    Args:
        name: the function's.
        signature: its parameters.
        specs: for each of the first parameters, or by the parameter's name: a `TensorSpec`, or a list, tuple or dict
            of them.
    Raises:
        SettingError: there is no such parameter, or something else than a `TensorSpec`.
    """

    def __init__(self, name: str, signature: inspect.Signature, specs: Any) -> None:
        self.name = name
        self.signature = signature
        parameters = list(signature.parameters)
        if isinstance(specs, Mapping):
            given = dict(specs)
        elif isinstance(specs, (list, tuple)):
            given = dict(zip(parameters, specs, strict=False))
        else:
            raise self.unusable("a tuple or list with a spec per parameter, or a dict by their names", describe(specs))
        if len(given) < len(specs) or not given.keys() <= set(parameters):
            raise self.unusable(f"at most one spec for each of {', '.join(parameters)}", f"{len(specs)} specs: {specs}")
        self.parts = {parameter: Structure(part) for parameter, part in given.items()}
        for parameter, part in self.parts.items():
            for leaf in part.leaves:
                if not isinstance(leaf, TensorSpec):
                    raise self.unusable(f"polytape.TensorSpec((None, 3), 'float32') for {parameter}", describe(leaf))

    def unusable(self, expected: str, got: str) -> SettingError:
        """The error for specs that cannot be used."""
        return SettingError(
            f"the input_signature of {self.name} cannot be used.",
            expected=expected,
            got=got,
            fix="write it as input_signature=[polytape.TensorSpec((None, 784), 'float32'), ...]",
        )

    def converted(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, as tensors of the specs' dtypes.

        Raises:
            ShapeError, DTypeError: an argument does not have the type of its spec.
        """
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError:
            return args, kwargs  # the call raises it, with the parameters
        for parameter, part in self.parts.items():
            if parameter in bound.arguments:
                bound.arguments[parameter] = self.argument(parameter, bound.arguments[parameter], part)
        return bound.args, bound.kwargs

    def argument(self, label: str, value: Any, part: Structure) -> Any:
        """One argument, as tensors."""
        if part.spec is None:
            return self.leaf(label, value, part.leaves[0])
        given = Structure(value)
        if given.spec != part.spec or len(given.leaves) != len(part.leaves):
            raise DTypeError(
                f"{self.name} cannot take {label}={describe(value)}.",
                expected=f"the structure {part.rebuild(part.leaves)}",
                got=describe(value),
                fix="pass the structure of the input_signature",
            )
        names = given.names(label)
        leaves = [self.leaf(*each) for each in zip(names, given.leaves, part.leaves, strict=True)]
        return given.rebuild(leaves)

    def leaf(self, label: str, value: Any, spec: TensorSpec) -> Any:
        """One tensor."""
        if not isinstance(value, Tensor):
            try:
                value = convert.asarray(value, spec.dtype)
            except PolytapeError as error:
                raise self.rejected(DTypeError, label, describe(value), spec) from error
        shape = tuple(value.shape)
        if value.dtype is not spec.dtype:
            raise self.rejected(DTypeError, label, type_text(value.dtype, shape), spec)
        fits = len(shape) == len(spec.shape)
        if not fits or any(n not in (None, m) for n, m in zip(spec.shape, shape, strict=True)):
            raise self.rejected(ShapeError, label, type_text(value.dtype, shape), spec)
        return value

    def rejected(self, kind: Any, label: str, got: str, spec: TensorSpec) -> Any:
        """The error for one argument."""
        return kind(
            f"{self.name} cannot take this {label}.",
            expected=f"{spec}, by the input_signature",
            got=got,
            fix="convert or reshape it, or change the input_signature",
        )

    def patterns(self, call: Call) -> list[Pattern]:
        """The open sizes of a call, then with equal sizes distinguished; nothing if there are none.

        Raises:
            TraceError: there are too many.
        """
        inputs = [(name, x.type, tuple(x.array.shape)) for name, x in zip(call.names, call.tensors, strict=True)]
        axes = [
            tuple([k for k, n in enumerate(spec.shape) if n is None]) if spec is not None else ()
            for spec in self.specs(call)
        ]
        found = [Pattern(inputs, axes), Pattern(inputs, axes, distinct=True)]
        if len(found[0].sizes) > MOST:
            raise TraceError(
                f"{self.name} cannot be traced for {len(found[0].sizes)} open sizes.",
                expected=f"at most {MOST} different sizes where the input_signature has None",
                got=", ".join(map(str, found[0].sizes)),
                fix="give some of the sizes, or leave out the input_signature",
            )
        return [x for x in found if 0 < len(x.sizes) <= MOST][: 1 + (found[0].key != found[1].key)]

    def specs(self, call: Call) -> list[TensorSpec | None]:
        """The spec of each tensor of a call, None where it has none."""
        found: list[TensorSpec | None] = []
        for parameter, part in call.parts.items():
            wanted = self.parts.get(parameter)
            for position, leaf in enumerate(part.leaves):
                if isinstance(leaf, Tensor) and not isinstance(leaf, Variable):
                    found.append(None if wanted is None else wanted.leaves[position])
        return found

"""Backends and kernels that lie about what they do: the conformance kit catches each, and names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import polytape as pt
from polytape.backend import Kernel, Limits
from polytape.errors import RegistrationError
from polytape.testing import CASES, CHECKS, TRANSFERS, case_of, unreached_kernels
from polytape.testing.limits import Inapplicable, check_capabilities, checked
from polytape_numpy.kernels import build

FLOATS = ("float32", "float64")


class Arr:
    """An array on one of two devices."""

    def __init__(self, memory: Any, index: int = 0) -> None:
        self.memory, self.index = np.asarray(memory), index
        self.shape, self.dtype = self.memory.shape, self.memory.dtype


def on_devices(kernel: Kernel, *, ignores_device: bool = False, **options: Any) -> Kernel:
    """A kernel of NumPy arrays for `Arr`; it refuses operands on different devices."""

    def run(*operands: Any, **attributes: Any) -> Any:
        places = {x.index for x in operands if type(x) is Arr}
        if "device" in attributes and not ignores_device:
            places.add(attributes["device"].index)
        if len(places) > 1:
            raise RuntimeError(f"operands on the devices {sorted(places)}")
        index = places.pop() if places else 0
        found = kernel.fn(*[x.memory if type(x) is Arr else x for x in operands], **attributes)
        return tuple(Arr(x, index) for x in found) if isinstance(found, tuple) else Arr(found, index)

    run.__signature__ = signature_of(kernel.fn)  # type: ignore[attr-defined]
    return Kernel(kernel.op, run, dtypes=kernel.dtypes, writes=kernel.writes, fresh=kernel.fresh, **options)


def signature_of(fn: Any) -> Any:
    import inspect

    try:
        return inspect.signature(fn)
    except ValueError:  # a ufunc
        names = [inspect.Parameter(f"x{k}", inspect.Parameter.POSITIONAL_ONLY) for k in range(fn.nin)]
        return inspect.Signature(names)


def own_memory(**members: Any) -> pt.Backend:
    """A correct backend with two devices, but for ``members``."""
    settings: dict[str, Any] = {
        "devices": lambda: [("x", 2)],
        "array_type": Arr,
        "from_host": lambda array, device: Arr(np.array(array), device.index),
        "to_host": lambda array: array.memory,
        "copy": lambda array, device: Arr(array.memory.copy(), device.index),
        "empty": lambda shape, dtype, device: Arr(np.empty(shape, dtype), device.index),
        "synchronize": lambda device: None,
        "lift": lambda value: value if type(value) is Arr else Arr(value),
        "dtypes": ["bool", "int32", "int64", "float32", "float64"],
        "kernels": [on_devices(kernel) for kernel in build(np)],
        "automatic": False,
    }
    return pt.Backend(name="liar", **{**settings, **members})


def extending(*kernels: Kernel, **members: Any) -> pt.Backend:
    return pt.Backend(name="liar", extends="numpy", kernels=kernels, **members)


def with_fresh(op: str) -> list[Kernel]:
    """The kernels of `own_memory`; those of ``op`` are said to return new memory."""
    return [
        on_devices(Kernel(kernel.op, kernel.fn, dtypes=kernel.dtypes, fresh=True) if kernel.op == op else kernel)
        for kernel in build(np)
    ]


def without(op: str) -> list[Kernel]:
    return [on_devices(kernel) for kernel in build(np) if kernel.op != op]


def imag_part(x: Any) -> Any:
    return x.imag if x.dtype.kind == "c" else np.zeros_like(x)


def permutes(x: Any, *, axes: Any) -> Any:
    return x.transpose(axes)


def mutates(x: Any) -> Any:
    return np.add(x, 1, out=x) if x.size else x


def narrow(x: Any) -> Any:
    return np.log(x).astype("float32")


def flat(x1: Any, x2: Any) -> Any:
    return np.atleast_1d(np.subtract(x1, x2))


def reshapes(x: Any, *, shape: Any) -> Any:
    return np.reshape(x, shape)


# The lie; the backend; the op whose checks, or None: the backend's own checks; what the error must name.
LIES: list[tuple[str, Callable[[], pt.Backend], str, list[str]]] = [
    (
        "a view said to be fresh",
        lambda: extending(Kernel("permute_dims", permutes, fresh=True)),
        "permute_dims",
        ["Kernel('permute_dims', permutes", "registered as fresh", "changes an operand"],
    ),
    (
        "a view of parts of complex numbers said to be fresh",
        lambda: extending(Kernel("imag", imag_part, fresh=True)),
        "imag",
        ["Kernel('imag', imag_part", "registered as fresh", "changes an operand"],
    ),
    (
        "a view of own memory said to be fresh",
        lambda: own_memory(kernels=with_fresh("reshape")),
        "reshape",
        ["Kernel('reshape'", "registered as fresh"],
    ),
    (
        "an array said to own shared memory",
        lambda: own_memory(exclusive=lambda array: True),
        "",
        ["exclusive of liar", "share memory"],
    ),
    (
        "memory said to be owned because nothing is its base",
        lambda: own_memory(exclusive=lambda array: array.memory.base is None and array.memory.flags.owndata),
        "",
        ["exclusive of liar", "False for the operand"],
    ),
    (
        "an attribute device that is ignored",
        lambda: own_memory(kernels=[on_devices(kernel, ignores_device=kernel.op == "full") for kernel in build(np)]),
        "full",
        ["full", "device liar:x:1"],
    ),
    (
        "transfers that ignore the device",
        lambda: own_memory(from_host=lambda array, device: Arr(np.array(array), 0)),
        "full",
        ["full", "device liar:x:1"],
    ),
    (
        "results on the wrong device",
        lambda: own_memory(kernels=_first_device()),
        "exp",
        ["exp", "device liar:x:1"],
    ),
    (
        "wrong values on the second device only",
        lambda: own_memory(kernels=_wrong_on_second()),
        "sqrt",
        ["sqrt", "device liar:x:1"],
    ),
    ("None for a result", lambda: extending(Kernel("tanh", lambda x: None)), "tanh", ["tanh", "Kernel('tanh'"]),
    (
        "a narrower dtype",
        lambda: extending(Kernel("log", narrow, dtypes=FLOATS)),
        "log",
        ["of float64", "expected: float64", "Kernel('log', narrow"],
    ),
    ("another rank", lambda: extending(Kernel("subtract", flat)), "subtract", ["subtract", "Kernel('subtract', flat"]),
    (
        "an operand that is written",
        lambda: extending(Kernel("identity", mutates)),
        "identity",
        ["identity", "Kernel('identity', mutates"],
    ),
    (
        "a dtype that is said to be served",
        lambda: extending(Kernel("exp", lambda x: 1 / 0 if x.dtype == np.float16 else np.exp(x), dtypes=("floating",))),
        "exp",
        ["ZeroDivisionError", "Kernel('exp'"],
    ),
    (
        "a missing op that is there",
        lambda: own_memory(limits=Limits(missing=["exp"])),
        "",
        ["exp is declared as missing, but there is Kernel('exp'"],
    ),
    (
        "an op that is there only on the host",
        lambda: own_memory(kernels=without("exp")),
        "",
        ["exp has no kernel on liar", "Limits(missing=['exp'])"],
    ),
    (
        "the host's results as its own",
        lambda: own_memory(kernels=without("exp")),
        "exp",
        ["KernelError", "exp has no kernel"],
    ),
    (
        "a missing op that does not exist",
        lambda: own_memory(limits=Limits(missing=["warp"])),
        "",
        ["warp is declared as missing, but is not a primitive op"],
    ),
    (
        "a predicate that is never true",
        lambda: extending(Kernel("add", np.add, when=lambda x1, x2: False)),
        "",
        ["no sample of add's row reaches it", "Kernel('add'"],
    ),
]


def _first_device() -> list[Kernel]:
    def exp(x: Any) -> Any:
        return Arr(np.exp(x.memory), 0)

    return [*without("exp"), Kernel("exp", exp)]


def _wrong_on_second() -> list[Kernel]:
    def sqrt(x: Any) -> Any:
        return Arr(np.sqrt(x.memory) * (1 + x.index), x.index)

    return [*without("sqrt"), Kernel("sqrt", sqrt)]


def failures(backend: str, op: str) -> list[str]:
    """The texts of all failures of an op's checks; or of the checks of the backend itself."""
    texts = []
    attempts: list[Callable[[], Any]] = [lambda: check_capabilities(backend)]
    attempts += [lambda transfer=transfer: transfer(backend) for transfer in TRANSFERS]  # type: ignore[misc]
    if op:
        attempts = [lambda check=check: checked(check, case_of(op), backend) for check in CHECKS]  # type: ignore[misc]
    for attempt in attempts:
        try:
            attempt()
        except Inapplicable:
            pass
        except AssertionError as error:
            texts.append(str(error))
    return texts if op else texts + unreached_kernels(backend, [case for case in CASES if str(case) == "add"])


@pytest.mark.parametrize(("make", "op", "words"), [lie[1:] for lie in LIES], ids=[lie[0] for lie in LIES])
def test_the_kit_catches_and_names_a_lie(make: Callable[[], pt.Backend], op: str, words: list[str]) -> None:
    with pt.register_backend(make()):
        texts = failures("liar", op)
    assert any(all(word in text for word in words) for text in texts), texts


def test_the_backend_that_the_lies_are_made_of_passes() -> None:
    with pt.register_backend(own_memory()):
        assert [text for op in ("", "exp", "full", "reshape", "permute_dims") for text in failures("liar", op)
                if "no sample" not in text] == []  # fmt: skip


def test_a_python_function_cannot_be_registered_as_atomic() -> None:
    def update(x: Any, gradient: Any, learning_rate: Any) -> Any:
        x -= learning_rate * gradient
        return x

    with pytest.raises(RegistrationError, match="atomic"):
        pt.register_backend(extending(Kernel("sgd_update", update, writes=("x",), atomic=True)))


def test_an_atomic_kernel_must_write() -> None:
    with pytest.raises(RegistrationError, match="atomic, but writes nothing"):
        pt.register_backend(extending(Kernel("exp", np.exp, atomic=True)))

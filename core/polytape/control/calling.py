"""The calls of the public functions: keywords that other libraries have, and errors that end at the user's line."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Final, TypeVar

from ..errors import DTypeError
from ..tracebacks import shortened

__all__ = ["public"]

F = TypeVar("F", bound=Callable[..., Any])

_NO_EFFECT: Final = "leave it out: the loop has no such setting"
# Keywords of jax.lax, torch and TensorFlow, and what to write here.
KEYWORDS: Final[dict[str, str]] = {
    "back_prop": "leave it out: a tape decides what is differentiated",
    "batch_size": "leave it out; polytape.vmap(f) computes all elements at once",
    "body_fn": "body=...",
    "body_fun": "body=...",
    "carried_inputs": "state=..., one structure, which condition and body take as their only argument",
    "combine_fn": "f=...",
    "cond": "condition=...",
    "cond_fn": "condition=...",
    "cond_fun": "condition=...",
    "dim": "move the axis to the front, polytape.moveaxis(x, dim, 0)",
    "elems": "xs=...",
    "false_fun": "false_fn=...",
    "fn": "f=...",
    "init": "carry=...",
    "init_val": "state=...",
    "initializer": "carry=...",
    "loop_vars": "state=..., one structure, which condition and body take as their only argument",
    "max_iterations": "maximum_iterations=...",
    "operand": "the operands behind the two functions",
    "operands": "the operands behind the two functions",
    "parallel_iterations": _NO_EFFECT,
    "pred": "predicate=...",
    "shape_invariants": "leave it out: shapes do not change from step to step; pad them to a size that is enough",
    "swap_memory": _NO_EFFECT,
    "true_fun": "true_fn=...",
    "unroll": _NO_EFFECT,
}


def public(f: F) -> F:
    """Decorate a public function."""
    accepted = [
        parameter.name
        for parameter in inspect.signature(f).parameters.values()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]

    @functools.wraps(f)
    def called(*args: Any, **keywords: Any) -> Any:
        try:
            for name in keywords:
                if name not in accepted and name in KEYWORDS:
                    raise DTypeError(
                        f"{f.__name__}() got an unexpected keyword argument {name!r}.",
                        expected=", ".join(accepted),
                        got=f"{name}=...",
                        fix=KEYWORDS[name],
                    )
            return f(*args, **keywords)
        except Exception as error:
            raise shortened(error)  # noqa: B904  # it is the same error

    return called  # type: ignore[return-value]  # it has the signature of f

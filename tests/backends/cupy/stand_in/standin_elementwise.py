"""`cupy.ElementwiseKernel` of the stand-in, which interprets the C statements of the body one by one on whole arrays.

It supports declarations and assignments of expressions with the same meaning in C and Python, casts of names, and the
functions below. Anything else raises an error, so that no statement is ignored.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from standin_arrays import SCALARS, fresh, ndarray, operand

FUNCTIONS = {name: getattr(np, name) for name in ("sqrt", "exp", "expm1", "log", "log1p", "sin", "cos", "tanh", "fabs")}
_DECLARATION = re.compile(r"(?:const\s+)?(\w+)\s+(\w+)\s*=\s*(?!=)(.+)", re.DOTALL)
_ASSIGNMENT = re.compile(r"(\w+)\s*([-+*/]?=)\s*(?!=)(.+)", re.DOTALL)
_CAST = re.compile(r"\((\w)\)\s*(\w+)")


def _params(text: str) -> list[tuple[str, str]]:
    params = []
    for part in text.split(","):
        ctype, name = part.split()
        if name == "i":
            raise ValueError("Can not use 'i' as a parameter name")
        params.append((ctype, name))
    return params


class ElementwiseKernel:
    """A user-defined elementwise kernel, with the arguments of cupy's class."""

    def __init__(
        self,
        in_params: str,
        out_params: str,
        operation: str,
        name: str = "kernel",
        reduce_dims: bool = True,
        preamble: str = "",
        no_return: bool = False,
        return_tuple: bool = False,
        **kwargs: Any,
    ) -> None:
        if not re.fullmatch(r"[a-zA-Z_][a-zA-Z_0-9]*", name):
            raise ValueError(f'Invalid kernel name: "{name}"')
        self.in_params, self.out_params, self.operation, self.name = (
            _params(in_params),
            _params(out_params),
            operation,
            name,
        )

    def __call__(self, *args: Any) -> Any:
        params = [*self.in_params, *self.out_params]
        if len(args) not in (len(self.in_params), len(params)):
            raise TypeError(f"Wrong number of arguments for {self.name!r}. It must be either {len(self.in_params)} or "
                            f"{len(params)} (with outputs), but given {len(args)}.")  # fmt: skip
        types = self._types(args, params)
        shape = np.broadcast_shapes(*(x.shape for x in args[: len(self.in_params)] if isinstance(x, ndarray)))
        outs = list(args[len(self.in_params) :]) or [
            fresh(np.empty(shape, types[ctype])) for ctype, _ in self.out_params
        ]
        shape = np.broadcast_shapes(shape, *(out.shape for out in outs))
        for out in outs:
            if not isinstance(out, ndarray):
                raise TypeError("Output arguments type must be cupy.ndarray")
            if out.shape != shape:
                raise ValueError("Out shape is mismatched")
        values: dict[str, Any] = {}
        for (ctype, name), x in zip(params, [*args[: len(self.in_params)], *outs], strict=True):
            values[name] = operand(x) if isinstance(x, ndarray) else types[ctype].type(operand(x))
        self._run(values, types)
        return outs[0] if len(outs) == 1 else tuple(outs)

    def _types(self, args: tuple[Any, ...], params: list[tuple[str, str]]) -> dict[str, np.dtype[Any]]:
        types: dict[str, np.dtype[Any]] = {}
        for (ctype, name), x in zip(params, args, strict=False):
            if isinstance(x, ndarray):
                if types.setdefault(ctype, x.dtype) != x.dtype:
                    raise TypeError(f"Type is mismatched. {name} {x.dtype} {types[ctype]} {ctype}")
            elif not isinstance(x, SCALARS):
                raise TypeError(f"Unsupported type {type(x)}")
        return types

    def _run(self, values: dict[str, Any], types: dict[str, np.dtype[Any]]) -> None:
        casts = {ctype: (lambda x, dtype=dtype: np.asarray(x).astype(dtype)) for ctype, dtype in types.items()}
        outs = {name for _, name in self.out_params}
        for statement in filter(None, (part.strip() for part in self.operation.split(";"))):
            declaration = _DECLARATION.fullmatch(statement)
            assignment = _ASSIGNMENT.fullmatch(statement)
            if declaration is not None:
                ctype, name, expression = declaration.groups()
                values[name] = casts[ctype](self._value(expression, values, casts))
            elif assignment is not None and assignment[1] in outs:
                name, operator, expression = assignment.groups()
                text = expression if operator == "=" else f"{name} {operator[0]} ({expression})"
                values[name][...] = self._value(text, values, casts)
            else:
                raise SyntaxError(f"the stand-in cannot interpret this statement of {self.name}: {statement}")

    def _value(self, expression: str, values: dict[str, Any], casts: dict[str, Any]) -> Any:
        text = _CAST.sub(r"\1(\2)", " ".join(expression.split()))
        with np.errstate(all="ignore"):
            return eval(text, {"__builtins__": {}}, {**FUNCTIONS, **casts, **values})

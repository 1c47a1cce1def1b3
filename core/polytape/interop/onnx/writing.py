"""A traced function as a model of ONNX."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from ...checkpoint.files import Replacement
from ...errors import TraceError
from ...graph.ir import Equation, Graph, Literal, location, names
from ...graph.passes import optimise, without_moves
from ...graph.tracing import trace
from ...placement.default_backend import device as device_scope
from ...tensors.symbol import Symbol
from ...tensors.tensor import Tensor
from . import longer as longer  # fills the table
from .nodes import Call, written
from .package import package
from .subgraphs import in_subgraphs

__all__ = ["export"]

OPSET: Final = 18  # the first whose reductions all take their axes as an operand
MOST_NBYTES: Final = 2**31 - 2**20  # of constants: a file of protocol buffers has at most 2 GiB


def export(f: Any, path: str | os.PathLike[str], *args: Any, **kwargs: Any) -> None:
    """Write the graph of a call of a traced function as an ONNX model, for onnxruntime and other programs.

    An op that ONNX does not have is written as the ops of its body; branches and loops become ``If``, ``Loop`` and
    ``Scan``. The model's inputs bear the names of the graph's arguments, its outputs are ``result0``, ``result1``, ...
    in the order of the results' leaves. Variables become constants with their values now. A model says nothing about
    devices: a tensor that the function moves is the tensor itself. ONNX's results agree within rounding, not bit by
    bit.

    Args:
        f: what `polytape.function` returned.
        path: the file, which is replaced completely or not at all.
        args, kwargs: arguments as for a call; of tensors, only dtype and shape matter.
    Raises:
        PluginError: the package onnx is missing.
        TraceError: the graph assigns a variable or draws random numbers, which models of ONNX cannot; or it has an op
            that ONNX cannot express, such as a matrix factorization, or a complex dtype.
        CheckpointError: the file cannot be written.

    Example:
        >>> import polytape as pt
        >>> from polytape.interop import onnx  # doctest: +SKIP
        >>> onnx.export(pt.function(lambda x: pt.tanh(x) * 2.0), "model.onnx", pt.ones((2,)))  # doctest: +SKIP
    """
    onnx = package()
    graph = without_moves(optimise(f.trace(*args, **kwargs), fuse=False))
    if graph.writes or graph.sources:
        what = "assigns variables" if graph.writes else "reads values before each run, such as random numbers"
        raise TraceError(
            f"{graph.name} cannot be a model of ONNX, because it {what}.",
            expected="a function whose results depend on its arguments and on variables that it reads",
            got=what,
            fix="export the part that predicts, with training=False; polytape.load_graph runs the rest",
        )
    model = _Model(onnx, graph).finished()
    with Replacement(os.fspath(path)) as new:
        new.write(model.SerializeToString())


class _Model:
    """The model under construction; see `nodes.Nodes`."""

    def __init__(self, onnx: Any, graph: Graph) -> None:
        self.onnx = onnx
        self.graph = graph
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.nbytes = 0
        self.count = 0
        self.dtypes: dict[str, Any] = {}  # of constants and results of casts, to leave out casts to the same dtype

    # --- the model ----------------------------------------------------------------------------------------------------

    def finished(self) -> Any:
        """The whole model."""
        helper, graph = self.onnx.helper, self.graph
        known = names(graph)
        inputs = {x.symbol: known[x.symbol] for x in graph.arguments}
        self.dtypes = {name: symbol.dtype for symbol, name in inputs.items()}
        results = self.written(graph, dict(inputs))
        outputs = []
        for position, (name, symbol) in enumerate(zip(results, graph.outputs, strict=True)):
            output = f"result{position}"
            self.nodes.append(helper.make_node("Identity", [name], [output]))
            outputs.append(self.declared(output, symbol))
        arguments = [self.declared(name, symbol) for symbol, name in inputs.items()]
        made = helper.make_graph(self.nodes, graph.name, arguments, outputs, self.constants)
        model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="polytape")
        model.ir_version = 8  # the one that came with this opset
        self.onnx.checker.check_model(model)
        return model

    def declared(self, name: str, symbol: Symbol) -> Any:
        """An input or output."""
        return self.onnx.helper.make_tensor_value_info(name, self.code(symbol.dtype), list(symbol.shape))

    def code(self, dtype: Any) -> int:
        """ONNX's number of a dtype."""
        if np.dtype(dtype).kind == "c":
            raise self.rejected(f"the dtype {dtype}", "cast it to real numbers")
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def rejected(self, what: str, fix: str) -> TraceError:
        """The error for a part that ONNX does not have."""
        return TraceError(
            f"{self.graph.name} cannot be a model of ONNX because of {what}.",
            expected="ops and dtypes that ONNX has, or ops whose bodies consist of such",
            got=what,
            fix=fix,
        )

    # --- graphs -------------------------------------------------------------------------------------------------------

    def written(self, graph: Graph, known: dict[Symbol, str]) -> list[str]:
        """The names of a graph's outputs, after its equations have been written.

        Args:
            graph: of the function, or of the body of an op.
            known: the names of its arguments.
        """
        for x in (*graph.variables, *graph.constants):
            if x.holder is not None:
                known[x.symbol] = self.constant(x.holder.numpy())
        for equation in graph.equations:
            outputs = self.call(equation, [self.operand(x, known) for x in equation.operands])
            known.update(zip(equation.outputs, outputs, strict=True))
        return [known[symbol] for symbol in graph.outputs]

    def operand(self, x: Symbol | Literal | None, known: dict[Symbol, str]) -> str | None:
        """The name of an operand."""
        if x is None:
            return None
        return self.constant(x.value, x.type.dtype) if isinstance(x, Literal) else known[x]

    def call(self, equation: Equation, operands: list[str | None]) -> list[str]:
        """The names of the outputs of one equation."""
        op = equation.op
        if equation.regions is not None:
            return in_subgraphs(self, equation.regions, [x for x in operands if x is not None])
        if not equation.operands:
            return self.evaluated(equation)
        output = equation.outputs[0]
        kinds = [_kind(x) for x in equation.operands]
        name = op.name.rstrip("_")
        call = Call(name, {**op.defaults, **equation.attributes}, kinds, output.dtype, output.shape)
        if len(equation.outputs) == 1 and None not in operands:
            result = written(self, call, [x for x in operands if x is not None])
            if result is not None:
                self.dtypes[result] = output.dtype
                return [result]
        operand_types = equation.resolution.operand_types
        if op.needs_kernel([x.dtype.name for x in operand_types if x is not None]):
            raise self.rejected(f"{op.name} ({location(equation)})", "compute it outside, and pass it as an argument")
        return self.expanded(equation, operands)

    def evaluated(self, equation: Equation) -> list[str]:
        """The outputs of an op without operands, as constants."""
        result = equation.op(**equation.attributes)
        return [self.constant(x.numpy()) for x in (result if equation.op.outputs is not None else [result])]

    def expanded(self, equation: Equation, operands: list[str | None]) -> list[str]:
        """The outputs of an op that is written as the ops of its body."""
        types = equation.resolution.operand_types
        taken = [k for k, x in enumerate(equation.operands) if isinstance(x, Symbol)]
        inputs = [(f"x{k}", types[k], equation.operands[k].shape) for k in taken]  # type: ignore[union-attr]  # symbols

        def body(tensors: list[Tensor]) -> list[Tensor]:
            filled: list[Any] = list(equation.operands)
            for position, x in enumerate(equation.operands):
                if isinstance(x, Literal):
                    filled[position] = Tensor(x.array(), x.type, None)
            for position, tensor in zip(taken, tensors, strict=True):
                filled[position] = tensor
            result = equation.op.run_body(filled, equation.attributes)
            return list(result) if equation.op.outputs is not None else [result]

        with device_scope(equation.resolution.result_type.device):
            graph, _ = trace(equation.op.name, inputs, body)  # type: ignore[arg-type]  # the types of symbols are not None
        graph = optimise(graph, fuse=False)
        known = {x.symbol: operands[k] for x, k in zip(graph.arguments, taken, strict=True)}
        return self.written(graph, known)  # type: ignore[arg-type]  # as above

    # --- subgraphs ----------------------------------------------------------------------------------------------------

    def region(self, graph: Graph, operands: Sequence[str]) -> list[str]:
        """The names of a region's outputs, after its equations have been written."""
        return self.written(graph, {x.symbol: name for x, name in zip(graph.arguments, operands, strict=True)})

    def subgraph(self, name: str, arguments: Sequence[tuple[Any, Any]], body: Callable[[list[str]], list[str]]) -> Any:
        """A subgraph; see `subgraphs.Subgraphs`."""
        helper = self.onnx.helper
        inputs = [self.fresh() for _ in arguments]
        around, self.nodes = self.nodes, []
        # An output has to be made by a node of the subgraph.
        outputs = [self.node("Identity", x) for x in body(inputs)]
        nodes, self.nodes = self.nodes, around
        declared = [
            helper.make_tensor_value_info(x, self.code(dtype), list(shape))
            for x, (dtype, shape) in zip(inputs, arguments, strict=True)
        ]
        return helper.make_graph(nodes, name, declared, [self.onnx.ValueInfoProto(name=x) for x in outputs])

    # --- nodes --------------------------------------------------------------------------------------------------------

    def fresh(self) -> str:
        """A new name; those of arguments have no colon."""
        self.count += 1
        return f"v:{self.count}"

    def node(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Add a node with one output; returns its name."""
        return self.outputs(op, 1, *inputs, **attributes)[0]

    def outputs(self, op: str, count: int, *inputs: str, **attributes: Any) -> list[str]:
        """Add a node with several outputs; returns their names."""
        found = [self.fresh() for _ in range(count)]
        self.nodes.append(self.onnx.helper.make_node(op, list(inputs), found, **attributes))
        return found

    def constant(self, values: Any, dtype: Any = None) -> str:
        """Add a constant; returns its name."""
        array = np.asarray(values, dtype)
        self.code(array.dtype)
        self.nbytes += array.nbytes
        if self.nbytes > MOST_NBYTES:
            raise self.rejected(f"its constants, which have {self.nbytes} bytes or more", "pass them as arguments")
        name = self.fresh()
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name))
        self.dtypes[name] = array.dtype
        return name

    def cast(self, x: str, dtype: Any) -> str:
        """Add a cast, unless ``x`` is known to have that dtype."""
        target = np.dtype(dtype)
        if self.dtypes.get(x) == target:
            return x
        name = self.node("Cast", x, to=self.code(target))
        self.dtypes[name] = target
        return name


def _kind(x: Symbol | Literal | None) -> tuple[Any, Any]:
    """Dtype and shape of an operand."""
    if isinstance(x, Symbol):
        return x.dtype, x.shape
    return (None, None) if x is None else (x.type.dtype, ())

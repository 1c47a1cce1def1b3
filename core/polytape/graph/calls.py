"""What runs at each call of a traced function: the test that a trace still fits, the record, the gradient.

The ring has this module. What happens once per trace is in `functions` (finding it), `concrete` and `residuals` (making
what is called here).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from ..autodiff.backward import hooks
from ..autodiff.cotangent import expanded
from ..autodiff.record import active_tapes, follow, outputs_of, wrap
from ..dtypes import FLOATING
from ..placement.selection import DeviceScope, device_scopes
from ..registry.gradient_rule import GradientPlan
from ..registry.op import Op
from ..registry.resolution import Resolution
from ..registry.tables import _registry
from ..registry.tensor_type import TensorType
from ..settings import Settings, settings
from ..state.update import read_all, replace_all
from ..tensors.node import Node
from ..tensors.scope import Scope, current_scope
from ..tensors.symbol import Symbol
from ..tensors.tensor import Tensor
from ..tensors.variable import Variable

__all__ = ["Latest", "Program", "Pull", "Recorder", "Recording"]

ATTEMPTS: Final = 1000  # how often a run is repeated because another thread assigned a variable that it assigns too
STATICS: Final = "statics"  # the attribute of a record that keeps static arguments alive

Shape = tuple[int, ...]


class Latest:
    """The last call's trace, and the conditions under which the next call may reuse it without a lookup.

    Args:
        concrete: the trace, a `polytape.graph.concrete.Concrete`.
        arguments: of the last call; those that were passed by keyword come last.
        keywords: their names.
        version: of the registry, when the trace was found.

    Attributes:
        positions: which arguments are tensors.
        direct: whether there are no keywords, and the arguments and the only result are tensors.
        call: the generated code that a direct call runs.
        recorder: runs the trace under tapes.
    """

    __slots__ = (
        "call", "concrete", "devices", "direct", "guards", "keywords", "positions", "recorder", "settings", "types",
        "values", "version",
    )  # fmt: skip

    def __init__(self, concrete: Any, arguments: tuple[Any, ...], keywords: tuple[str, ...], version: int) -> None:
        self.concrete: Final[Any] = concrete
        self.keywords: Final = keywords
        # For each argument its tensor type and shape, or None and the object itself.
        self.types: list[TensorType | None] = []
        self.values: list[Any] = []
        self.positions: list[int] = []
        for position, x in enumerate(arguments):
            if type(x) is Tensor:
                self.positions.append(position)
            self.types.append(x.type if type(x) is Tensor else None)
            self.values.append(x.array.shape if type(x) is Tensor else x)
        self.direct: bool = not keywords and len(self.positions) == len(arguments) and concrete.single
        self.call: Any = concrete.executable.call
        self.recorder: Recorder = concrete.recorder
        self.guards: tuple[Callable[[], bool], ...] = concrete.guards
        self.version: int = version
        self.devices: tuple[DeviceScope, ...] = device_scopes.get()
        self.settings: Settings = settings()

    def fits(self, arguments: tuple[Any, ...]) -> bool:
        """Whether the signature of these arguments is the same, and no kernel, device scope or setting has changed."""
        types = self.types
        values = self.values
        if len(arguments) != len(types):
            return False
        for position in range(len(types)):
            x = arguments[position]
            value = values[position]
            if type(x) is Tensor:
                array = x.array
                if x.type is not types[position] or array.shape != value or type(array) is Symbol:
                    return False
            elif x is not value:
                return False
        if _registry.version != self.version or device_scopes.get() is not self.devices:
            return False
        if settings() is not self.settings:
            return False
        for condition in self.guards:
            if not condition():
                return False
        return True


class Program:
    """A graph's generated code, and where its arguments come from.

    Attributes:
        fn: ``(*native arrays) -> results``.
        positions: which of the arrays that `run` is given are its arguments.
        explain: adds a note about the failed equation to an error.
    """

    __slots__ = ("explain", "fn", "in_order", "positions")

    def __init__(self, fn: Any, positions: list[int], explain: Callable[[BaseException], None]) -> None:
        self.fn: Final[Any] = fn
        self.positions: Final = positions
        self.explain: Final = explain
        self.in_order: Final[bool] = positions == list(range(len(positions)))

    def run(self, arrays: list[Any]) -> Any:
        """The graph's results."""
        try:
            if self.in_order and len(arrays) == len(self.positions):
                return self.fn(*arrays)
            return self.fn(*[arrays[position] for position in self.positions])
        except Exception as error:
            self.explain(error)
            raise


class Recording:
    """What the records of one trace share for one set of watched inputs.

    Attributes:
        op, plan, resolution: of the record; the op's only gradient rule is a `Pull`.
        program: what runs.
        residuals: how many of its results, behind the outputs, are kept for the gradient. The record has them behind
            the arrays of the inputs.
        shapes: no shape for any input, since the record keeps all their arrays.
    """

    __slots__ = ("op", "plan", "program", "residuals", "resolution", "shapes")

    def __init__(self, op: Op, plan: GradientPlan, resolution: Resolution, program: Program, residuals: int) -> None:
        self.op: Final = op
        self.plan: Final = plan
        self.resolution: Final = resolution
        self.program: Final = program
        self.residuals: Final = residuals
        self.shapes: Final[tuple[Shape | None, ...]] = (None,) * len(resolution.operand_types)


class Recorder:
    """Runs one trace, recorded by the tapes that follow an input.

    The inputs are the arguments, the variables, the values of sources, and the captured tensors.

    Args:
        make: ``(watched, inputs) -> Recording``, called once for each set of watched inputs.
        program: what runs if no tape follows an input.
        contended: makes the error for variables that are assigned during each run.

    Attributes:
        variables: the variables that the graph reads.
        sources: for each source the function that reads it, and the types of its values.
        captured: the constants that a tape may follow.
        plain: the other constants that come from a user's tensor: its handle, and the array that the graph has.
        output_types: of the outputs.
        written: the variables that it assigns.
        recordings: by the watched inputs, as the bits of a number.
    """

    __slots__ = (
        "captured", "contended", "differentiable", "make", "output_types", "plain", "program", "recordings", "sources",
        "variables", "where", "written",
    )  # fmt: skip

    def __init__(
        self,
        make: Callable[[int, list[Tensor]], Recording],
        program: Program,
        variables: list[Variable],
        sources: list[tuple[Callable[[], Sequence[Any]], tuple[TensorType, ...]]],
        captured: list[Tensor],
        plain: list[tuple[Tensor, Any]],
        output_types: tuple[TensorType, ...],
        written: list[Variable],
        contended: Callable[[], Exception],
    ) -> None:
        self.make: Final = make
        self.program: Final = program
        self.variables: Final = variables
        self.sources: Final = sources
        self.captured: Final = captured
        self.plain: Final = plain
        self.output_types: Final = output_types
        self.written: Final = written
        self.contended: Final = contended
        self.recordings: dict[int, Recording] = {}
        # For each written variable its position among those that are read, or -1.
        self.where: list[int] = [
            next((index for index, read in enumerate(variables) if read is variable), -1) for variable in written
        ]
        self.differentiable: bool = any([tensor_type.category >= FLOATING for tensor_type in output_types])

    def newly_followed(self, scope: Scope) -> bool:
        """Whether an open tape follows a captured tensor that had no node when the function was traced."""
        for handle, array in self.plain:
            if handle.node is not None and handle.array is array and active_tapes(handle, scope):
                return True
        return False

    def direct(self, tensors: Sequence[Tensor], scope: Scope, statics: Sequence[Any]) -> Tensor | None:
        """As `call`, the first output; None if the trace does not serve the call: see `newly_followed`."""
        if self.plain and self.newly_followed(scope):
            return None
        return self.call(tensors, scope, statics)[0]

    def call(self, tensors: Sequence[Tensor], scope: Scope, statics: Sequence[Any]) -> list[Tensor]:
        """The outputs for these arguments, recorded; reads the sources.

        Args:
            tensors: the arguments.
            scope: has the tapes.
            statics: kept alive by the record.
        """
        inputs: list[Tensor] = [*tensors]
        first = len(inputs)
        inputs.extend(self.variables)
        for read, types in self.sources:
            values = read()
            for position, tensor_type in enumerate(types):
                inputs.append(Tensor(values[position], tensor_type, None))
        return self.recorded(inputs, first, scope, statics)

    def recorded(self, inputs: list[Tensor], first: int, scope: Scope, statics: Sequence[Any]) -> list[Tensor]:
        """The outputs, recorded.

        Args:
            inputs: the arguments, ``first`` of them, then the variables and the values of the sources, or both from an
                earlier run.
            scope, statics: as for `call`.
        """
        inputs.extend(self.captured)
        tapes, watched = follow(inputs, scope) if scope.tapes else ((), 0)
        count = len(self.output_types)
        if not watched or not self.differentiable:
            results = self.run(self.program, inputs, first)[1]
            return [Tensor(results[position], self.output_types[position], None) for position in range(count)]
        recording = self.recordings.get(watched)
        if recording is None:
            recording = self.recordings[watched] = self.make(watched, inputs)
        arrays, results = self.run(recording.program, inputs, first)
        nodes = tuple([x.node if watched >> position & 1 else None for position, x in enumerate(inputs)])
        op = recording.op
        if hooks.before_record is not None:
            hooks.before_record(op, arrays)
        attributes: dict[str, Any] | None = {STATICS: statics} if statics else None
        kept = (*arrays, *results[count : count + recording.residuals])
        types = recording.resolution.operand_types
        shapes = recording.shapes
        if op.outputs is None:
            result = results[0]
            tensor_type = self.output_types[0]
            node = Node(tapes, op, attributes, recording.plan, nodes, kept, types, shapes, tensor_type, result.shape)
            return [Tensor(result, tensor_type, node)]
        outputs: list[Any] = list(results[:count])
        full = tuple([output.shape for output in outputs])
        return outputs_of(
            Node(tapes, op, attributes, recording.plan, nodes, kept, types, shapes, self.output_types, full), outputs
        )

    def run(self, program: Program, inputs: list[Tensor], first: int) -> tuple[list[Any], Any]:
        """Run a graph and assign the variables; the inputs' arrays before the run, and the graph's results."""
        written = self.written
        if not written:
            arrays = read_all(inputs)
            return arrays, program.run(arrays)
        for _ in range(ATTEMPTS):
            arrays = read_all(inputs)
            results = program.run(arrays)
            before = [None if position < 0 else arrays[first + position] for position in self.where]
            if replace_all(written, before, results[len(results) - len(written) :]):
                return arrays, results
        raise self.contended()


class Pull:
    """The gradient rule of a record: runs the backward graph on what the record keeps.

    Args:
        backward: takes the kept arrays and the seeds; None if there is no backward graph.
        unit: makes the program for the seed 1.0 of one output of shape (); None if there is none.
        types: of its results.
        gradients: for each watched input, which result is its gradient; None if nothing is.
        outputs: type and shape of each output.
        seeded: the outputs whose gradients the backward graph takes.
        again: ``(parts, inputs, statics) -> gradients``: runs the function again, under a tape.
    """

    def __init__(
        self,
        backward: Program | None,
        unit: Callable[[], Program | None] | None,
        types: tuple[TensorType, ...],
        gradients: list[int | None],
        outputs: list[tuple[TensorType, Shape]],
        seeded: tuple[int, ...],
        again: Callable[[Sequence[Any], Sequence[Any], Sequence[Any]], Any],
    ) -> None:
        self.backward: Final = backward
        self.unit: Final = unit
        self.types: Final = types
        self.gradients: Final = gradients
        self.outputs: Final = outputs
        self.seeded: Final = seeded
        self.again: Final = again
        self.of_one: Program | None = None
        self.single: Final = len(outputs) == 1

    def __call__(self, g: Any, node: Node) -> Any:
        """The gradient of the watched input, or a list of those of several."""
        parts = [g] if self.single else list(g.parts)
        scope = current_scope.get()
        followed = bool(scope.tapes) or scope.trace is not None
        if self.backward is None or followed or not self.serves(parts):
            attributes = node.attributes
            inputs = [
                wrap(node.arrays[position], node.operand_types[position], parent if followed else None)
                for position, parent in enumerate(node.parents)
            ]
            gradients = self.again(parts, inputs, () if attributes is None else attributes[STATICS])
        else:
            gradients = self.of_residuals(parts, list(node.arrays))
        return gradients if len(gradients) > 1 else gradients[0]

    def serves(self, parts: list[Any]) -> bool:
        """Whether the outputs with a gradient are those that the backward graph is made for."""
        seeded = self.seeded
        count = 0
        for part in parts:
            count += part is not None
        if count != len(seeded):
            return False
        for position in seeded:
            if parts[position] is None:
                return False
        return True

    def of_residuals(self, parts: list[Any], kept: list[Any]) -> list[Tensor | None]:
        """The gradients from what the forward graph has kept, where nothing follows them."""
        program = self.backward
        assert program is not None
        if self.single and parts[0].array is self.outputs[0][0].one:
            if self.of_one is None and self.unit is not None:
                self.of_one = self.unit()
            if self.of_one is not None:
                return self.tensors(self.of_one.run(kept))
        for position in self.seeded:
            part: Tensor = parts[position]
            shape = self.outputs[position][1]
            kept.append(part.array if part.array.shape == shape else expanded(part, shape).array)
        return self.tensors(program.run(kept))

    def tensors(self, results: Any) -> list[Tensor | None]:
        """The gradient of each watched input."""
        gradients: list[Tensor | None] = []
        for position in self.gradients:
            gradients.append(None if position is None else Tensor(results[position], self.types[position], None))
        return gradients

"""Traced functions with an input signature: one template for all sizes that it leaves open, and a plan per size."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any

from ..errors import PolytapeError, TraceError
from ..tensors.tensor import Tensor
from .concrete import Body, Concrete, Derivation, Named, flattened
from .formulas import Sizes
from .input_signature import Pattern
from .ir import Graph
from .residuals import Tracing, traced_once
from .signature import Structure
from .templates import Template

__all__ = ["Sized", "Templates"]


class Sized(Concrete):
    """A function for one signature, whose graph comes from a template.

    Args:
        template: of the function; ``sizes`` are the open sizes of this signature, which has these ``inputs``.
        body: the Python function, which runs again only for a gradient that has no template.
        writes: whether it assigns variables.
    """

    def __init__(self, template: Template, sizes: Sizes, inputs: Any, body: Body, writes: bool = True) -> None:
        self.template = template
        self.sizes = sizes
        super().__init__(template.name, inputs, body, writes)
        self.seeded = template.seeded

    def record(self) -> tuple[Graph, tuple[Callable[[], bool], ...]]:
        """The graph for these sizes, and the conditions under which it is valid."""
        (spec, leaves), positions = self.template.results(self.sizes)
        self.structure = Structure(None)
        self.structure.spec, self.structure.leaves = spec, list(leaves)
        self.output_positions = list(positions)
        return self.template.graph(self.sizes), self.template.guards

    def tracing(self, watched: int, seeded: tuple[int, ...]) -> Tracing:
        """Results and gradients from a template too; the first call that a tape follows traces it."""

        def traced(name: str, inputs: Sequence[Any], body: Any) -> tuple[Graph, Any]:
            template = self.further(self.template.gradients, (watched, seeded), seeded, name, inputs, body)
            if template is None:
                return traced_once(name, inputs, body)
            return template.graph(self.sizes), template.results(self.sizes)

        return traced

    def derived(self, key: Derivation, inputs: Sequence[Named], body: Body) -> Concrete:
        """A derivative from a template too, which has templates for its own gradients."""
        run = partial(described, self.name, body)
        name = f"{self.name}_gradient"
        template = self.further(self.template.derivatives, key, key[1], name, inputs, run)
        if template is None:
            return super().derived(key, inputs, body)
        return Sized(template, self.sizes, inputs, body, False)

    def further(
        self, known: dict[Any, Template | None], key: Any, seeded: Sequence[int], name: str, inputs: Sequence[Named],
        run: Callable[[list[Tensor]], tuple[list[Tensor], Any]],
    ) -> Template | None:  # fmt: skip
        """A template of what takes the gradients of the outputs ``seeded`` behind the inputs of this function.

        None if it needs the number of an open size, as the function does not: then each size has a trace of its own.

        Args:
            known: the templates of this kind, which it is added to under ``key``.
            name, inputs, run: as for a trace for these sizes.
        """
        if key not in known:
            labels = [(label, kind) for label, kind, _ in inputs[len(self.inputs) :]]

            def more(sizes: Sizes) -> list[Named]:
                outputs = self.template.graph(sizes).outputs
                seeds = [(*label, outputs[k].shape) for label, k in zip(labels, seeded, strict=True)]
                return [*self.template.more(sizes), *seeds]

            try:
                known[key] = Template(name, self.template.inputs, self.template.count, run, more)
            except TraceError:
                known[key] = None
        return known[key]


def described(name: str, body: Body, tensors: list[Tensor]) -> tuple[list[Tensor], Any]:
    """The outputs of a body, and what a template compares besides: the results' structure, and which are outputs."""
    outputs, structure, positions = flattened(name, body(tensors))
    return outputs, ((structure.spec, tuple(structure.leaves)), tuple(positions))


class Templates:
    """The templates of one function, for each pattern of open sizes and each value of its other arguments."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.known: dict[Hashable, tuple[Template, Body]] = {}

    def concrete(self, key: Hashable, patterns: Sequence[Pattern], bodies: Callable[[], Body], stale: bool) -> Sized:
        """The function for the sizes of one call.

        Args:
            key: of the call, without its tensors' shapes.
            patterns: of the call's open sizes.
            bodies: called before the function is traced; returns its body.
            stale: trace again, as what a template depends on has changed.
        Raises:
            TraceError: the function needs one of the sizes.
        """
        for pattern in () if stale else patterns:
            template, body = self.known.get((key, pattern.key), (None, None))
            if template is not None and body is not None and all(condition() for condition in template.guards):
                return self.filled(template, pattern, body)
        body = bodies()
        try:
            return self.traced(key, patterns[0], body)
        except TraceError:
            if len(patterns) == 1:
                raise
            try:  # sizes that are equal in this call alone may follow formulas if they are told apart
                return self.traced(key, patterns[1], body)
            except PolytapeError:
                pass
            raise

    def traced(self, key: Hashable, pattern: Pattern, body: Body) -> Sized:
        """The function for one call, from a new template."""
        template = Template(self.name, pattern.inputs, len(pattern.sizes), partial(described, self.name, body))
        self.known[key, pattern.key] = template, body
        return self.filled(template, pattern, body)

    def filled(self, template: Template, pattern: Pattern, body: Body) -> Sized:
        """The function for the sizes of a pattern."""
        inputs = [(name, kind, tuple([pattern.size(n) for n in shape])) for name, kind, shape in pattern.inputs]
        return Sized(template, pattern.sizes, inputs, body)

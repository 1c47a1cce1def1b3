"""Traced functions with an input signature: one template for all sizes that it leaves open, and a plan per size."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from ..errors import PolytapeError, TraceError
from ..tensors.tensor import Tensor
from .concrete import Body, Concrete, flattened
from .formulas import Sizes
from .input_signature import Pattern
from .ir import Graph
from .residuals import Tracing
from .signature import Structure
from .templates import Template

__all__ = ["Sized", "Templates"]


class Sized(Concrete):
    """A function for one signature, whose graph comes from a template.

    Args:
        template: of the function; ``sizes`` are the open sizes of this signature, which has these ``inputs``.
        body: the Python function, which runs again only for a gradient outside of it.
    """

    def __init__(self, template: Template, sizes: Sizes, inputs: Any, body: Body) -> None:
        self.template = template
        self.sizes = sizes
        super().__init__(template.name, inputs, body, True)
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
            template = self.template.gradients.get((watched, seeded))
            if template is None:
                seeds = inputs[len(self.inputs) :]

                def more(sizes: Sizes) -> list[Any]:
                    outputs = self.template.graph(sizes).outputs
                    shapes = [outputs[k].shape for k in seeded]
                    return [(label, kind, shape) for (label, kind, _), shape in zip(seeds, shapes, strict=True)]

                template = Template(name, self.template.inputs, self.template.count, body, more)
                self.template.gradients[watched, seeded] = template
            return template.graph(self.sizes), template.results(self.sizes)

        return traced


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

        def run(tensors: list[Tensor]) -> tuple[list[Tensor], Any]:
            outputs, structure, positions = flattened(self.name, body(tensors))
            return outputs, ((structure.spec, tuple(structure.leaves)), tuple(positions))

        template = Template(self.name, pattern.inputs, len(pattern.sizes), run)
        self.known[key, pattern.key] = template, body
        return self.filled(template, pattern, body)

    def filled(self, template: Template, pattern: Pattern, body: Body) -> Sized:
        """The function for the sizes of a pattern."""
        inputs = [(name, kind, tuple([pattern.size(n) for n in shape])) for name, kind, shape in pattern.inputs]
        return Sized(template, pattern.sizes, inputs, body)

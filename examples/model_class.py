"""A model is a class with variables: trained, measured, saved, and restored into a new object.

    python examples/model_class.py

The points are around y = 3 x + 2. A checkpoint has the variables of the objects that it is given, by the names of their
attributes: there are no global collections, and a variable lives as long as the object that holds it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import common
import polytape as pt

__all__ = ["Line", "main"]


class Line(pt.nn.Model):
    """``weight * x + bias``."""

    def __init__(self) -> None:
        self.weight = pt.Variable(5.0)
        self.bias = pt.Variable(10.0)

    def call(self, x: pt.Tensor) -> pt.Tensor:
        """The line at ``x``."""
        return x * self.weight + self.bias


def train(model: Line, optimizer: pt.optim.Optimizer, x: pt.Tensor, y: pt.Tensor, steps: int) -> None:
    """Minimise the mean squared error."""
    mean = pt.metrics.Mean()
    for step in range(steps):
        with pt.GradientTape() as tape:
            loss = pt.mean(pt.square(model(x) - y))
        variables = model.trainable_variables
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        mean(loss)
        if step % 20 == 0:
            print(f"step {step:3}  loss {loss:.3f}")
    print(f"loss at last {loss:.3f}, mean of all steps {mean.result():.3f}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Train a line, save it, and restore it."""
    parser = common.options(__doc__)
    parser.add_argument("--steps", type=common.positive(int), default=300, metavar="N", help="training steps")
    parser.add_argument("--output", type=Path, default=Path("output/model_class"), metavar="DIR", help="of checkpoints")
    options = parser.parse_args(arguments)
    folder = common.output_folder(options.output)
    print(common.backend_line())
    pt.random.seed(0)
    x = pt.random.normal((2000,))
    y = 3.0 * x + 2.0 + pt.random.normal((2000,))

    model, optimizer = Line(), pt.optim.SGD(0.01)
    train(model, optimizer, x, y, options.steps)
    print(f"y = {model.weight:.4f} x + {model.bias:.4f}")

    path = pt.Checkpoint(model=model, optimizer=optimizer).save(folder / "line")
    restored, its_optimizer = Line(), pt.optim.SGD(0.01)
    pt.Checkpoint(model=restored, optimizer=its_optimizer).restore(path).assert_consumed()
    print(f"restored from {path}: y = {restored.weight:.4f} x + {restored.bias:.4f}, step {int(its_optimizer.step)}")


if __name__ == "__main__":
    common.run(main)

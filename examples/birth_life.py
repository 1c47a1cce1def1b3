"""Life expectancy by the number of children per woman: two lines, trained on one country at a time.

    python examples/birth_life.py

The data are of 190 countries in 2010 (examples/data/README.md). There is no list of variables: the function from
``pt.implicit_value_and_gradients`` finds those that the loss uses. The Huber loss is an ordinary Python ``if``, which
works because one country's error is one number. The rate of learning stays the same, so the countries that were seen
last have the most influence on the lines.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import common
import polytape as pt

__all__ = ["main", "train"]

DATA = Path(__file__).parent / "data" / "birth_life_2010.txt"
LABELS = ("Birth rate", "Life expectancy")


def squared_loss(error: pt.Tensor) -> pt.Tensor:
    """The square of the error."""
    return error**2


def huber_loss(error: pt.Tensor, delta: float = 1.0) -> pt.Tensor:
    """The square of an error of at most ``delta``; above, the tangent of the square at ``delta``."""
    size = pt.abs(error)
    return error**2 if size <= delta else delta * (2 * size - delta)


def train(
    loss: Callable[[pt.Tensor], pt.Tensor], data: pt.data.Dataset, epochs: int, rate: float
) -> tuple[float, float]:
    """Fit a line by gradient descent, one element of ``data`` at a time; returns its slope and intercept."""
    w, b = pt.Variable(0.0), pt.Variable(0.0)
    optimizer = pt.optim.SGD(rate)

    @pt.implicit_value_and_gradients
    def step(x: pt.Tensor, y: pt.Tensor) -> pt.Tensor:
        return loss(w * x + b - y)

    bar = common.progress(epochs)
    for epoch in bar:
        total = 0.0
        for x, y in data:
            value, gradients = step(x, y)
            optimizer.apply_gradients(gradients)  # pairs of a gradient and a variable
            total += float(value)
        common.check_loss(total, f"epoch {epoch}")
        if epoch % 10 == 0:
            bar.write(f"epoch {epoch:3}  mean loss {total / len(data):.3f}")
    return float(w), float(b)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train by both losses, print and draw the lines."""
    parser = common.options(__doc__)
    parser.add_argument("--epochs", type=common.positive(int), default=100, metavar="N", help="passes through the data")
    parser.add_argument("--learning-rate", type=common.positive(float), default=0.01, metavar="RATE", help="of SGD")
    parser.add_argument("--output", type=Path, default=Path("output/birth_life"), metavar="DIR", help="folder")
    options = parser.parse_args(arguments)
    folder = common.output_folder(options.output)
    print(common.backend_line())
    table = common.read_table(DATA)
    x, y = (table.column(label) for label in LABELS)
    data = pt.data.Dataset.from_tensor_slices((x.astype("float32"), y.astype("float32")))
    lines = {}
    for name, loss in {"squared loss": squared_loss, "Huber loss": huber_loss}.items():
        print(name)
        begin = time.perf_counter()
        lines[name] = train(loss, data, options.epochs, options.learning_rate)
        print(f"{options.epochs} epochs took {time.perf_counter() - begin:.1f} s")
    common.draw_lines(folder / "birth_life.png", "190 countries in 2010", LABELS, (x, y), lines)


if __name__ == "__main__":
    common.run(main)

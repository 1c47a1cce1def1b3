"""Fit a straight line twice, by squared and by Huber loss: ``python examples/linear_regression.py``.

Trains on a data set that comes with scikit-learn (body mass index against the progression of diabetes, 442 patients),
or on your own table::

    python examples/linear_regression.py --data FILE --x COLUMN --y COLUMN

Prints the losses, draws the points and both lines, saves a checkpoint and restores it. POLYTAPE_BACKEND selects the
backend; the program is the same for all backends. Needs ``pip install 'polytape[examples]'``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

import common
import polytape as pt

__all__ = ["Fit", "main"]

HUBER_DELTA = 0.5  # where the Huber loss changes from quadratic to linear, in standard deviations of y


def squared_loss(error: pt.Tensor) -> pt.Tensor:
    """Mean of the squared errors: outliers have a strong influence."""
    return pt.mean(pt.square(error))


def huber_loss(error: pt.Tensor) -> pt.Tensor:
    """Quadratic for small errors and linear for large ones (P. Huber, 1964): an outlier's influence is bounded."""
    size = pt.abs(error)
    return pt.mean(pt.where(size <= HUBER_DELTA, 0.5 * size * size, HUBER_DELTA * (size - 0.5 * HUBER_DELTA)))


class Fit(pt.Trackable):
    """A line, its loss and its optimizer; a checkpoint saves its variables."""

    def __init__(self, loss: Callable[[pt.Tensor], pt.Tensor], learning_rate: float) -> None:
        self.loss = loss
        self.slope, self.intercept = pt.Variable(0.0, name="slope"), pt.Variable(0.0, name="intercept")
        self.optimizer = pt.optim.SGD(learning_rate)

    def loss_of(self, x: pt.Tensor, y: pt.Tensor) -> pt.Tensor:
        """The loss of the line at these points."""
        return self.loss(self.slope * x + self.intercept - y)

    def train_step(self, x: pt.Tensor, y: pt.Tensor) -> pt.Tensor:
        """Run one step of gradient descent; return the loss before it."""
        with pt.GradientTape() as tape:
            loss = self.loss_of(x, y)
        variables = [self.slope, self.intercept]
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    def in_units(self, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
        """Slope and intercept in the units of the columns, if the fit is to their standardised values."""
        scale = y.std() or 1.0
        slope = float(self.slope) * scale / x.std()
        return slope, y.mean() + float(self.intercept) * scale - slope * x.mean()


def new_fits(learning_rate: float) -> dict[str, Fit]:
    """Both fits, untrained."""
    return {"squared": Fit(squared_loss, learning_rate), "Huber": Fit(huber_loss, learning_rate)}


def standardised(column: np.ndarray) -> pt.Tensor:
    """A column with mean 0 and standard deviation 1, so that one learning rate suits any unit."""
    return pt.asarray((column - column.mean()) / (column.std() or 1.0), dtype="float32")


def train(fits: dict[str, Fit], x: pt.Tensor, y: pt.Tensor, steps: int) -> None:
    """Train all fits together; print their losses at the start, after each tenth of the steps, and at the end."""
    shown = {round(tenth * steps / 10) for tenth in range(11)}
    bar = common.progress(steps + 1)
    bar.write("    step" + "".join(f"  {name + ' loss':>14}" for name in fits))
    for step in bar:
        losses = [float(fit.train_step(x, y) if step < steps else fit.loss_of(x, y)) for fit in fits.values()]
        common.check_loss(sum(losses), f"{step} steps")
        if step in shown:
            bar.write(f"{step:>8}" + "".join(f"  {loss:>14.6f}" for loss in losses))


def save_and_restore(fits: dict[str, Fit], folder: Path) -> str | None:
    """Save the fits, find the latest checkpoint, and restore it into new fits; return its path."""
    pt.Checkpoint(**fits).save(folder / "lines")
    path = pt.latest_checkpoint(str(folder))
    restored = new_fits(1.0)
    pt.Checkpoint(**restored).restore(path).assert_consumed()
    assert all(float(restored[name].slope) == float(fit.slope) for name, fit in fits.items())
    return path


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, print, draw and save."""
    parser = common.options(__doc__)
    add = parser.add_argument
    add("--data", type=Path, metavar="FILE", help="a table with a header row, separated by tabs or commas")
    add("--x", metavar="COLUMN", help="column of the x axis; bmi of the bundled data")
    add("--y", metavar="COLUMN", help="column of the y axis; progression of the bundled data")
    add("--steps", type=common.positive(int), default=300, metavar="N", help="training steps")
    add("--learning-rate", type=common.positive(float), default=0.1, metavar="RATE", help="of gradient descent")
    add("--output", type=Path, default=Path("output/linear_regression"), metavar="DIR", help="folder of the files")
    options = parser.parse_args(arguments)
    source, labels, x, y = common.chosen_points(options.data, options.x, options.y)
    folder = common.output_folder(options.output)
    print(f"{len(x)} points of {source}: {labels[1]} by {labels[0]}")
    print(common.backend_line())
    fits = new_fits(options.learning_rate)
    train(fits, standardised(x), standardised(y), options.steps)
    lines = {f"{name} loss": fit.in_units(x, y) for name, fit in fits.items()}
    common.draw_lines(folder / "linear_regression.png", source, labels, (x, y), lines)
    print(f"checkpoint saved to {save_and_restore(fits, folder)}, found again and restored")


if __name__ == "__main__":
    common.run(main)

"""Fit a straight line twice, by squared and by Huber loss: ``python examples/linear_regression.py``.

Trains on a data set that comes with scikit-learn (body mass index against the progression of diabetes, 442 patients),
or on a table of yours::

    python examples/linear_regression.py --data FILE --x COLUMN --y COLUMN

Prints the losses, draws the points and both lines, saves a checkpoint and finds it again. POLYTAPE_BACKEND chooses the
backend and nothing else. Needs ``pip install 'polytape[examples]'``.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import math
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import polytape as pt

__all__ = ["Fit", "InputError", "Points", "bundled_points", "fit_lines", "main", "read_points"]

Column = np.ndarray[Any, np.dtype[np.float64]]

# Where the Huber loss goes over from a square to a slope, in standard deviations of y.
HUBER_DELTA = 0.5


class InputError(Exception):
    """What the caller can mend: a file, a column, a number, a missing library."""


# --- the points ---


class Points:
    """Two columns of numbers, and the same standardised, since one learning rate then serves any unit.

    Args:
        x, y: of one length, at least two, not all ``x`` alike.
        x_name, y_name: what to write on the axes.
        source: where they come from.
    Raises:
        InputError: no line is determined by them.
    """

    def __init__(self, x: Column, y: Column, x_name: str, y_name: str, source: str) -> None:
        self.x, self.y, self.x_name, self.y_name, self.source = x, y, x_name, y_name, source
        if len(x) < 2 or float(np.std(x)) == 0.0:
            raise InputError(
                f"{source} has {len(x)} rows, and {x_name!r} {'is the same in all of them' if len(x) else 'is empty'}; "
                "a line needs two different values of it"
            )
        self.x_mean, self.x_scale = float(np.mean(x)), float(np.std(x))
        self.y_mean, self.y_scale = float(np.mean(y)), float(np.std(y)) or 1.0

    def standardised(self) -> tuple[pt.Tensor, pt.Tensor]:
        """Both columns with mean 0 and standard deviation 1, as tensors float32[n] on the current backend."""
        return (
            pt.asarray((self.x - self.x_mean) / self.x_scale, dtype=pt.float32),
            pt.asarray((self.y - self.y_mean) / self.y_scale, dtype=pt.float32),
        )

    def in_units(self, slope: float, intercept: float) -> tuple[float, float]:
        """Slope and intercept of a standardised line, in the columns' own units."""
        real_slope = slope * self.y_scale / self.x_scale
        return real_slope, self.y_mean + intercept * self.y_scale - real_slope * self.x_mean


def bundled_points(x_name: str = "bmi", y_name: str = "progression") -> Points:
    """Columns of scikit-learn's diabetes data: ten measurements of 442 patients, and the progression a year later.

    Raises:
        InputError: scikit-learn is missing, or there is no such column.
    """
    try:
        from sklearn.datasets import load_diabetes
    except ImportError as error:
        raise missing_extra(error) from error
    found = load_diabetes(scaled=False)
    columns = dict(zip(found.feature_names, found.data.T, strict=True)) | {"progression": found.target}
    source = "scikit-learn's diabetes data"
    for name in (x_name, y_name):
        check_column(name, list(columns), source)
    return Points(columns[x_name], columns[y_name], x_name, y_name, source)


def read_points(path: Path, x_name: str, y_name: str) -> Points:
    """Two columns of a table: separated by tabs or commas, the first line names the columns.

    Raises:
        InputError: the file cannot be read, a column is not there, or a row has no number in it; with the line.
    """
    rows = table_rows(path)
    try:
        _, header = next(rows)
    except StopIteration:
        raise InputError(f"{path} is empty; its first line must name the columns") from None
    for name in (x_name, y_name):
        check_column(name, header, str(path))
    places = {name: header.index(name) for name in (x_name, y_name)}
    pairs = []
    for line, row in rows:
        if len(row) != len(header):
            raise InputError(f"{path}, line {line}: {len(row)} fields, where the first line has {len(header)}")
        pairs.append([number(row[place], f"{path}, line {line}, {name!r}") for name, place in places.items()])
    columns = np.array(pairs, dtype=np.float64).reshape(-1, len(places))
    # One column may stand on both axes.
    x, y = columns[:, 0], columns[:, -1]
    return Points(x, y, x_name, y_name, path.name)


def table_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The line number and the fields of each row that is not blank."""
    try:
        # utf-8-sig: spreadsheets put a byte order mark first.
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter="\t" if "\t" in first else ",", strict=True)
            for row in reader:
                if any(field.strip() for field in row):
                    yield reader.line_num, [field.strip() for field in row]
    except OSError as error:
        near = nearest(path.name, [one.name for one in path.parent.iterdir()]) if path.parent.is_dir() else ""
        raise InputError(f"{path} cannot be read: {error.strerror or error}{near}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is no table in UTF-8: {error}") from error


def check_column(name: str, columns: Sequence[str], source: str) -> None:
    """Raise InputError unless there is such a column."""
    if name not in columns:
        listed = ", ".join(repr(column) for column in columns)
        raise InputError(f"{source} has no column {name!r}{nearest(name, columns)}; it has {listed}")


def nearest(name: str, names: Sequence[str]) -> str:
    """``, did you mean ...`` if one of the names is near."""
    lower = {one.lower(): one for one in names}
    found = difflib.get_close_matches(name.lower(), lower, 1)
    return f" (did you mean {lower[found[0]]!r}?)" if found else ""


def number(text: str, where: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: {text!r} is not a finite number; mend or remove the row")
    return value


# --- the training ---


def squared_loss(error: pt.Tensor) -> pt.Tensor:
    """Mean of the squares: far points pull hard."""
    return pt.mean(pt.square(error))


def huber_loss(error: pt.Tensor) -> pt.Tensor:
    """Mean of squares near the line and slopes beyond HUBER_DELTA: no point pulls harder than that.

    Source:
        P. Huber (1964), Annals of Mathematical Statistics 35 (1), pp. 73-101.
    """
    size = pt.abs(error)
    return pt.mean(pt.where(size <= HUBER_DELTA, 0.5 * pt.square(error), HUBER_DELTA * (size - 0.5 * HUBER_DELTA)))


class Fit(pt.Trackable):
    """A line, the loss that judges it, and the optimizer that moves it; a checkpoint saves its variables.

    Args:
        name: shown in the legend and the table.
        loss: from the errors, floating[n], to one number.
        learning_rate: how far a step goes down the gradient.
    """

    def __init__(self, name: str, loss: Callable[[pt.Tensor], pt.Tensor], learning_rate: float) -> None:
        self.name = name
        self.loss = loss
        self.slope = pt.Variable(0.0, name="slope")
        self.intercept = pt.Variable(0.0, name="intercept")
        self.optimizer = pt.optim.SGD(learning_rate)

    def train_step(self, x: pt.Tensor, y: pt.Tensor) -> pt.Tensor:
        """One step down the gradient; the loss before it."""
        with pt.GradientTape() as tape:
            loss = self.loss(self.slope * x + self.intercept - y)
        variables = [self.slope, self.intercept]
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return loss

    def line(self, points: Points) -> tuple[float, float]:
        """Slope and intercept in the data's units."""
        return points.in_units(float(self.slope), float(self.intercept))


def new_fits(learning_rate: float) -> tuple[Fit, Fit]:
    """Both fits, untrained."""
    return Fit("squared loss", squared_loss, learning_rate), Fit("Huber loss", huber_loss, learning_rate)


def fit_lines(points: Points, steps: int, learning_rate: float) -> tuple[Fit, Fit]:
    """Train both fits side by side, and print their losses at the start, every tenth of the way, and at the end.

    Raises:
        InputError: the losses grow without end, or tqdm is missing.
    """
    try:
        from tqdm import tqdm
    except ImportError as error:
        raise missing_extra(error) from error
    x, y = points.standardised()
    squared, huber = new_fits(learning_rate)
    shown = {round(tenth * steps / 10) for tenth in range(11)}
    tqdm.write(f"{'step':>8}  {'squared loss':>14}  {'Huber loss':>14}")
    # disable=None: a bar on a terminal, none in a file or a pipe.
    for step in tqdm(range(steps + 1), desc="training", unit="step", leave=False, disable=None):
        last = step == steps
        losses = [
            fit.loss(fit.slope * x + fit.intercept - y) if last else fit.train_step(x, y) for fit in (squared, huber)
        ]
        if step in shown:
            values = [float(loss) for loss in losses]
            if not all(math.isfinite(value) for value in values):
                raise InputError(f"the loss is {values[0]} after {step} steps; try a smaller --learning-rate")
            tqdm.write(f"{step:>8}  {values[0]:>14.6f}  {values[1]:>14.6f}")
    return squared, huber


# --- what is kept ---


def save_and_find(fits: tuple[Fit, Fit], folder: Path, learning_rate: float) -> Path:
    """Save both fits, find the newest checkpoint, and restore it into new fits; the checkpoint's path."""
    pt.Checkpoint(squared=fits[0], huber=fits[1]).save(folder / "lines")
    found = pt.latest_checkpoint(str(folder))
    if found is None:
        raise SystemExit(f"no checkpoint was found in {folder}, where one was just saved")
    again = new_fits(learning_rate)
    pt.Checkpoint(squared=again[0], huber=again[1]).restore(found).assert_consumed()
    for old, new in zip(fits, again, strict=True):
        if (float(old.slope), float(old.intercept)) != (float(new.slope), float(new.intercept)):
            raise SystemExit(f"{found} does not hold the line that was saved by {old.name}")
    return Path(found)


def draw(points: Points, fits: tuple[Fit, Fit], path: Path) -> None:
    """Draw the points and both lines into a PNG file.

    Raises:
        InputError: matplotlib is missing.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise missing_extra(error) from error
    matplotlib.use("Agg")  # a file needs no window
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7.2, 4.6), dpi=120, layout="constrained")
    axes.scatter(points.x, points.y, s=22, color="#8a97a6", alpha=0.6, linewidths=0, label=f"{len(points.x)} points")
    ends = np.array([points.x.min(), points.x.max()])
    for fit, color, style in zip(fits, ("#c8553d", "#1b6e8c"), ("-", "--"), strict=True):
        slope, intercept = fit.line(points)
        axes.plot(
            ends,
            slope * ends + intercept,
            style,
            color=color,
            linewidth=2.4,
            label=f"{fit.name}: {formula(slope, intercept)}",
        )
    axes.set_xlabel(points.x_name)
    axes.set_ylabel(points.y_name)
    axes.set_title(points.source, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6e9ed", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.legend(frameon=True, framealpha=0.9, edgecolor="none", fontsize=9)
    figure.savefig(path)
    pyplot.close(figure)


def formula(slope: float, intercept: float) -> str:
    """``y = 10.23 x - 117.8``."""
    return f"y = {slope:.4g} x {'-' if intercept < 0 else '+'} {abs(intercept):.4g}"


# --- the command ---


def missing_extra(error: ImportError) -> InputError:
    """The error for a library that the examples need and polytape does not."""
    return InputError(f"{error.name or error} is not installed; the examples need: pip install 'polytape[examples]'")


def positive(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """An argparse type: a number above 0."""

    def parse(text: str) -> Any:
        value = kind(text)
        if not 0 < value < math.inf:
            raise argparse.ArgumentTypeError(f"{text} is not above 0")
        return value

    parse.__name__ = "whole number" if kind is int else "number"
    return parse


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; ends the program where it is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="FILE", help="a table with a header row, by tabs or commas")
    parser.add_argument("--x", metavar="COLUMN", help="the column across (default bmi, of the bundled data)")
    parser.add_argument("--y", metavar="COLUMN", help="the column upwards (default progression, of the bundled data)")
    parser.add_argument("--steps", type=positive(int), default=300, metavar="N", help="training steps (default 300)")
    parser.add_argument("--learning-rate", type=positive(float), default=0.1, metavar="RATE", help="(default 0.1)")
    folder = Path("output") / "linear_regression"
    parser.add_argument("--output", type=Path, default=folder, metavar="DIR", help=f"what it writes (default {folder})")
    chosen = parser.parse_args(arguments)
    if chosen.data is not None and (chosen.x is None or chosen.y is None):
        try:
            columns = next(table_rows(chosen.data), (0, [""]))[1]
        except InputError as error:
            parser.error(str(error))
        parser.error(f"--data needs --x and --y; {chosen.data} has {', '.join(repr(column) for column in columns)}")
    return chosen


def run(chosen: argparse.Namespace) -> None:
    """Train, print, draw, save."""
    points = (
        read_points(chosen.data, chosen.x, chosen.y)
        if chosen.data is not None
        else bundled_points(chosen.x or "bmi", chosen.y or "progression")
    )
    try:
        chosen.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--output {chosen.output} is no folder that can be written: {error.strerror}") from error
    backend = pt.current_backend()
    print(f"{len(points.x)} points of {points.source}: {points.y_name} by {points.x_name}")
    print(f"backend {backend.name} {backend.version} on {backend.device}, chosen by {backend.chosen_by}")
    begin = time.perf_counter()
    with warnings.catch_warnings():
        # Too large a rate overflows; the losses are looked at anyway, and then say so once.
        warnings.simplefilter("ignore", RuntimeWarning)
        fits = fit_lines(points, chosen.steps, chosen.learning_rate)
    print(f"trained both in {time.perf_counter() - begin:.2f} s")
    for fit in fits:
        print(f"{fit.name}: {formula(*fit.line(points))}")
    picture = chosen.output / "linear_regression.png"
    draw(points, fits, picture)
    print(f"drawn in {picture}")
    print(f"saved in {save_and_find(fits, chosen.output, chosen.learning_rate)}, found again and restored")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the example; 0, or 1 with a line that says what to mend."""
    chosen = parse_arguments(arguments)
    try:
        run(chosen)
    except (InputError, pt.PolytapeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

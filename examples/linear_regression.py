"""Fit a straight line twice, by squared and by Huber loss: ``python examples/linear_regression.py``.

Trains on a data set that comes with scikit-learn (body mass index against the progression of diabetes, 442 patients),
or on your own table::

    python examples/linear_regression.py --data FILE --x COLUMN --y COLUMN

Prints the losses, draws the points and both lines, saves a checkpoint and restores it. POLYTAPE_BACKEND selects the
backend; the program is the same for all backends. Needs ``pip install 'polytape[examples]'``.
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

# Error at which the Huber loss changes from quadratic to linear, in standard deviations of y.
HUBER_DELTA = 0.5


class InputError(Exception):
    """An error that the user can fix: a file, a column, a number, a missing library."""


# --- the points ---


class Points:
    """Two columns of numbers, also in standardised form, so that one learning rate suits any unit.

    Args:
        x, y: of the same length, at least two; the values of ``x`` are not all equal.
        x_name, y_name: labels of the axes.
        source: the name of the data set.
    Raises:
        InputError: the points do not determine a line.
    """

    def __init__(self, x: Column, y: Column, x_name: str, y_name: str, source: str) -> None:
        self.x, self.y, self.x_name, self.y_name, self.source = x, y, x_name, y_name, source
        if len(x) < 2 or float(np.std(x)) == 0.0:
            raise InputError(
                f"{source} has {len(x)} rows, and {x_name!r} {'is the same in all of them' if len(x) else 'is empty'}; "
                "a line needs at least two different values"
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
        """Slope and intercept of a standardised line, in the units of the columns."""
        real_slope = slope * self.y_scale / self.x_scale
        return real_slope, self.y_mean + intercept * self.y_scale - real_slope * self.x_mean


def bundled_points(x_name: str = "bmi", y_name: str = "progression") -> Points:
    """Columns of scikit-learn's diabetes data: ten measurements of 442 patients, and the progression a year later.

    Raises:
        InputError: scikit-learn is not installed, or there is no such column.
    """
    try:
        from sklearn.datasets import load_diabetes
    except ImportError as error:
        raise missing_extra(error) from error
    data = load_diabetes(scaled=False)
    columns = dict(zip(data.feature_names, data.data.T, strict=True)) | {"progression": data.target}
    source = "scikit-learn's diabetes data"
    for name in (x_name, y_name):
        check_column(name, list(columns), source)
    return Points(columns[x_name], columns[y_name], x_name, y_name, source)


def read_points(path: Path, x_name: str, y_name: str) -> Points:
    """Two columns of a table, separated by tabs or commas, whose first line has the column names.

    Raises:
        InputError: the file cannot be read, a column does not exist, or a row has no number there (with its line).
    """
    rows = table_rows(path)
    try:
        _, header = next(rows)
    except StopIteration:
        raise InputError(f"{path} is empty; its first line must contain the column names") from None
    for name in (x_name, y_name):
        check_column(name, header, str(path))
    positions = {name: header.index(name) for name in (x_name, y_name)}
    pairs = []
    for line, row in rows:
        if len(row) != len(header):
            raise InputError(f"{path}, line {line}: {len(row)} fields, where the first line has {len(header)}")
        pairs.append([number(row[position], f"{path}, line {line}, {name!r}") for name, position in positions.items()])
    columns = np.array(pairs, dtype=np.float64).reshape(-1, len(positions))
    # If x and y are the same column, there is only one.
    x, y = columns[:, 0], columns[:, -1]
    return Points(x, y, x_name, y_name, path.name)


def table_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The line number and the fields of each row that is not blank."""
    try:
        # utf-8-sig: spreadsheets write a byte order mark.
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            reader = csv.reader(file, delimiter="\t" if "\t" in first else ",", strict=True)
            for row in reader:
                if any(field.strip() for field in row):
                    yield reader.line_num, [field.strip() for field in row]
    except OSError as error:
        hint = did_you_mean(path.name, [entry.name for entry in path.parent.iterdir()]) if path.parent.is_dir() else ""
        raise InputError(f"{path} cannot be read: {error.strerror or error}{hint}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not a table in UTF-8: {error}") from error


def check_column(name: str, columns: Sequence[str], source: str) -> None:
    """Raise InputError unless there is such a column."""
    if name not in columns:
        listed = ", ".join(repr(column) for column in columns)
        raise InputError(f"{source} has no column {name!r}{did_you_mean(name, columns)}; it has {listed}")


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """`` (did you mean ...?)`` if one of the names is similar, otherwise an empty text."""
    originals = {known.lower(): known for known in names}
    matches = difflib.get_close_matches(name.lower(), originals, 1)
    return f" (did you mean {originals[matches[0]]!r}?)" if matches else ""


def number(text: str, location: str) -> float:
    """The finite number in ``text``.

    Raises:
        InputError: the text is anything else; the error names ``location``.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{location}: {text!r} is not a finite number; correct or remove the row")
    return value


# --- the training ---


def squared_loss(error: pt.Tensor) -> pt.Tensor:
    """Mean of the squared errors: outliers have a strong influence."""
    return pt.mean(pt.square(error))


def huber_loss(error: pt.Tensor) -> pt.Tensor:
    """Quadratic up to HUBER_DELTA and linear beyond, averaged: the influence of an outlier is bounded.

    Source:
        P. Huber (1964), Annals of Mathematical Statistics 35 (1), pp. 73-101.
    """
    size = pt.abs(error)
    return pt.mean(pt.where(size <= HUBER_DELTA, 0.5 * pt.square(error), HUBER_DELTA * (size - 0.5 * HUBER_DELTA)))


class Fit(pt.Trackable):
    """A line, its loss function and its optimizer; a checkpoint saves its variables.

    Args:
        name: shown in the legend and the table.
        loss: a function from the errors, floating[n], to a scalar.
        learning_rate: the step size of gradient descent.
    """

    def __init__(self, name: str, loss: Callable[[pt.Tensor], pt.Tensor], learning_rate: float) -> None:
        self.name = name
        self.loss = loss
        self.slope = pt.Variable(0.0, name="slope")
        self.intercept = pt.Variable(0.0, name="intercept")
        self.optimizer = pt.optim.SGD(learning_rate)

    def train_step(self, x: pt.Tensor, y: pt.Tensor) -> pt.Tensor:
        """Run one step of gradient descent; return the loss before it."""
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
    """Train both fits together; print their losses at the start, after each tenth of the steps, and at the end.

    Raises:
        InputError: the losses diverge, or tqdm is not installed.
    """
    try:
        from tqdm import tqdm
    except ImportError as error:
        raise missing_extra(error) from error
    x, y = points.standardised()
    squared, huber = new_fits(learning_rate)
    shown = {round(tenth * steps / 10) for tenth in range(11)}
    tqdm.write(f"{'step':>8}  {'squared loss':>14}  {'Huber loss':>14}")
    # disable=None: a progress bar on a terminal, none in a file or a pipe.
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


# --- the output files ---


def save_and_restore(fits: tuple[Fit, Fit], folder: Path, learning_rate: float) -> Path:
    """Save both fits, find the latest checkpoint, and restore it into new fits; return the checkpoint's path."""
    pt.Checkpoint(squared=fits[0], huber=fits[1]).save(folder / "lines")
    latest = pt.latest_checkpoint(str(folder))
    if latest is None:
        raise SystemExit(f"no checkpoint was found in {folder}, where one was just saved")
    restored = new_fits(learning_rate)
    pt.Checkpoint(squared=restored[0], huber=restored[1]).restore(latest).assert_consumed()
    for old, new in zip(fits, restored, strict=True):
        if (float(old.slope), float(old.intercept)) != (float(new.slope), float(new.intercept)):
            raise SystemExit(f"{latest} does not contain the line that was saved for {old.name}")
    return Path(latest)


def draw(points: Points, fits: tuple[Fit, Fit], path: Path) -> None:
    """Draw the points and both lines into a PNG file.

    Raises:
        InputError: matplotlib is not installed.
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
    """The error for a missing library that the examples need and polytape does not."""
    return InputError(f"{error.name or error} is not installed; the examples need: pip install 'polytape[examples]'")


def positive(number_type: Callable[[str], Any]) -> Callable[[str], Any]:
    """An argparse type for positive, finite numbers of ``number_type``."""

    def parse(text: str) -> Any:
        value = number_type(text)
        if not 0 < value < math.inf:
            raise argparse.ArgumentTypeError(f"{text} is not a positive number")
        return value

    parse.__name__ = "integer" if number_type is int else "number"  # argparse shows it in its error message
    return parse


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; exits with an error message if it is not valid."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, metavar="FILE", help="a table with a header row, separated by tabs or commas"
    )
    parser.add_argument("--x", metavar="COLUMN", help="column of the x axis (bundled data: default bmi)")
    parser.add_argument("--y", metavar="COLUMN", help="column of the y axis (bundled data: default progression)")
    parser.add_argument("--steps", type=positive(int), default=300, metavar="N", help="training steps (default 300)")
    parser.add_argument("--learning-rate", type=positive(float), default=0.1, metavar="RATE", help="(default 0.1)")
    folder = Path("output") / "linear_regression"
    parser.add_argument("--output", type=Path, default=folder, metavar="DIR", help=f"output folder (default {folder})")
    options = parser.parse_args(arguments)
    if options.data is not None and (options.x is None or options.y is None):
        try:
            columns = next(table_rows(options.data), (0, [""]))[1]
        except InputError as error:
            parser.error(str(error))
        parser.error(f"--data needs --x and --y; {options.data} has {', '.join(repr(column) for column in columns)}")
    return options


def run(options: argparse.Namespace) -> None:
    """Train, print, draw and save."""
    points = (
        read_points(options.data, options.x, options.y)
        if options.data is not None
        else bundled_points(options.x or "bmi", options.y or "progression")
    )
    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--output {options.output} is not a writable folder: {error.strerror}") from error
    backend = pt.current_backend()
    print(f"{len(points.x)} points of {points.source}: {points.y_name} by {points.x_name}")
    print(f"backend {backend.name} {backend.version} on {backend.device}, chosen by {backend.chosen_by}")
    begin = time.perf_counter()
    with warnings.catch_warnings():
        # If the learning rate is too large, values overflow; fit_lines checks the losses and reports it once.
        warnings.simplefilter("ignore", RuntimeWarning)
        fits = fit_lines(points, options.steps, options.learning_rate)
    print(f"trained both in {time.perf_counter() - begin:.2f} s")
    for fit in fits:
        print(f"{fit.name}: {formula(*fit.line(points))}")
    figure = options.output / "linear_regression.png"
    draw(points, fits, figure)
    print(f"figure saved to {figure}")
    checkpoint = save_and_restore(fits, options.output, options.learning_rate)
    print(f"checkpoint saved to {checkpoint}, found again and restored")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the example; return 0, or print one line about what to fix and return 1."""
    options = parse_arguments(arguments)
    try:
        run(options)
    except (InputError, pt.PolytapeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

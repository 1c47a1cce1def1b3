"""What the examples share: options, errors of one line, tables, the digits, figures.

Each example imports this module and ends with ``common.run(main)``; everything about tensors is in the example itself.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import importlib
import io
import math
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import polytape as pt

__all__ = [
    "InputError",
    "Table",
    "backend_line",
    "check_loss",
    "chosen_points",
    "diabetes",
    "digits",
    "draw_lines",
    "figure",
    "grid",
    "library",
    "options",
    "output_folder",
    "positive",
    "progress",
    "read_table",
    "read_text",
    "run",
]

Column = np.ndarray[Any, np.dtype[np.float64]]


class InputError(Exception):
    """An error that the user can fix: a file, a column, a number, a missing library."""


# --- the command line ---


class _Help(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Keeps the lines of the description, and adds each option's default to its help."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default is None else super()._get_help_string(action)


def options(description: str | None) -> argparse.ArgumentParser:
    """A parser whose help is an example's docstring and the defaults."""
    return argparse.ArgumentParser(description=description, formatter_class=_Help)


def positive(number_type: Callable[[str], Any]) -> Callable[[str], Any]:
    """An argparse type for positive, finite numbers of ``number_type``."""

    def parse(text: str) -> Any:
        value = number_type(text)
        if not 0 < value < math.inf:
            raise argparse.ArgumentTypeError(f"{text} is not a positive number")
        return value

    parse.__name__ = "integer" if number_type is int else "number"  # argparse shows it in its error message
    return parse


def run(main: Callable[[], object]) -> None:
    """Call an example's ``main``; an error that the user can fix is printed as one line, and the exit status is 1."""
    with warnings.catch_warnings():
        # NumPy's warnings of infinity and NaN: `check_loss` reports once that descent diverges.
        warnings.filterwarnings("ignore", "overflow|invalid value", RuntimeWarning)
        try:
            main()
        except (InputError, pt.PolytapeError) as error:
            sys.exit(f"error: {error}")


def output_folder(path: Path, option: str = "--output") -> Path:
    """Create the folder of an option if it does not exist.

    Raises:
        InputError: it cannot be created, or there is a file of this name.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{option} {path} is not a writable folder: {error.strerror}") from error
    return path


def backend_line() -> str:
    """Which backend computes, where, and why."""
    backend = pt.current_backend()
    return f"backend {backend.name} {backend.version} on {backend.device}, chosen by {backend.chosen_by}"


# --- libraries that the examples need and polytape does not ---


def library(name: str) -> Any:
    """Import a module of the extra `examples`.

    Raises:
        InputError: it is not installed; the error names the extra.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        missing = error.name or name
        raise InputError(f"{missing} is not installed; the examples need: pip install 'polytape[examples]'") from error


def progress(count: int) -> Any:
    """``range(count)`` as tqdm's progress bar on a terminal, without a bar in a file or a pipe."""
    return library("tqdm").tqdm(range(count), desc="training", unit="step", leave=False, disable=None)


def check_loss(loss: float, when: str) -> None:
    """Raise InputError if a loss is infinite or NaN, as it becomes when descent diverges."""
    if not math.isfinite(loss):
        raise InputError(f"the loss is {loss} after {when}; try a smaller --learning-rate")


@contextmanager
def figure(path: Path, title: str, x_label: str = "", y_label: str = "") -> Iterator[Any]:
    """matplotlib's axes to draw on; at the end of the block they are saved as a PNG file."""
    library("matplotlib").use("Agg")  # a file needs no window
    pyplot = library("matplotlib.pyplot")
    drawing, axes = pyplot.subplots(figsize=(7.2, 4.6), dpi=120, layout="constrained")
    axes.set_title(title, loc="left", fontsize=11)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#e6e9ed", linewidth=0.8)
    axes.set_axisbelow(True)
    yield axes
    drawing.savefig(path)
    pyplot.close(drawing)


def draw_lines(
    path: Path,
    title: str,
    labels: tuple[str, str],
    points: tuple[Column, Column],
    lines: Mapping[str, tuple[float, float]],
) -> None:
    """Draw points, and lines by their slope and intercept, into a PNG file; print the lines.

    Args:
        labels: of the axes.
        points: the coordinates x and y.
        lines: by name, at most three.
    """
    x, y = points
    with figure(path, title, *labels) as axes:
        axes.scatter(x, y, s=22, color="#8a97a6", alpha=0.6, linewidths=0, label=f"{len(x)} points")
        ends = np.array([x.min(), x.max()])
        styles = zip(("#c8553d", "#1b6e8c", "#5b8c5a"), ("-", "--", ":"), strict=True)
        for (name, (slope, intercept)), (color, style) in zip(lines.items(), styles, strict=False):
            text = f"{name}: y = {slope:.4g} x {'-' if intercept < 0 else '+'} {abs(intercept):.4g}"
            axes.plot(ends, slope * ends + intercept, style, color=color, linewidth=2.4, label=text)
            print(text)
        axes.legend(framealpha=0.9, edgecolor="none", fontsize=9)
    print(f"figure saved to {path}")


def grid(images: pt.Tensor, columns: int = 8) -> pt.Tensor:
    """Images [rows * columns, height, width, 1] beside and below each other, with a margin of a pixel around each."""
    framed = pt.pad(images[..., 0], ((0, 0), (1, 1), (1, 1)))
    count, height, width = framed.shape
    rows = pt.permute_dims(pt.reshape(framed, (count // columns, columns, height, width)), (0, 2, 1, 3))
    return pt.reshape(rows, (-1, columns * width))


# --- data ---


def digits() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's handwritten digits: images float32[1797, 8, 8, 1] from 0 to 1, and labels int64[1797]."""
    images, labels = library("sklearn.datasets").load_digits(return_X_y=True)
    return (images / 16.0).astype("float32").reshape(-1, 8, 8, 1), labels


class Table:
    """Columns with names.

    Args:
        source: the name of the data set, with which error messages begin.
        columns: the fields of each column.
        lines: the line of each row in its file, for error messages.
    """

    def __init__(self, source: str, columns: Mapping[str, Sequence[Any]], lines: Sequence[int] = ()) -> None:
        self.source, self.columns, self.lines = source, columns, lines

    def __str__(self) -> str:
        """The source and the names of its columns."""
        return f"{self.source} has {', '.join(map(repr, self.columns))}"

    def column(self, name: str) -> Column:
        """The numbers of a column, float64[rows].

        Raises:
            InputError: there is no such column, or one of its fields is not a finite number.
        """
        if name not in self.columns:
            hint = did_you_mean(name, list(self.columns))
            raise InputError(f"{self.source} has no column {name!r}{hint}; it has {', '.join(map(repr, self.columns))}")
        return np.array([self._number(name, row, field) for row, field in enumerate(self.columns[name])])

    def _number(self, name: str, row: int, field: Any) -> float:
        try:
            value = float(field)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            where = f"line {self.lines[row]}" if self.lines else f"row {row}"
            raise InputError(
                f"{self.source}, {where}, {name!r}: {field!r} is not a finite number; correct or remove the row"
            )
        return value


def diabetes() -> Table:
    """scikit-learn's diabetes data: ten measurements of 442 patients, and the progression a year later."""
    data = library("sklearn.datasets").load_diabetes(scaled=False)
    columns = dict(zip(data.feature_names, data.data.T, strict=True)) | {"progression": data.target}
    return Table("scikit-learn's diabetes data", columns)


def read_text(path: Path) -> str:
    """A file in UTF-8.

    Raises:
        InputError: it cannot be read; the error names a file with a similar name, if there is one.
    """
    try:
        return path.read_text(encoding="utf-8-sig")  # spreadsheets write a byte order mark
    except OSError as error:
        hint = did_you_mean(path.name, [entry.name for entry in path.parent.iterdir()]) if path.parent.is_dir() else ""
        raise InputError(f"{path} cannot be read: {error.strerror or error}{hint}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text in UTF-8: {error}") from error


def read_table(path: Path) -> Table:
    """A table, separated by tabs or commas, whose first line has the names of the columns.

    Raises:
        InputError: the file cannot be read or is empty, two columns have the same name, or a row has too many or too
            few fields (with its line).
    """
    text = read_text(path)
    delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [(reader.line_num, [field.strip() for field in row]) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise InputError(f"{path}, line {reader.line_num}: {error}") from error
    if not rows:
        raise InputError(f"{path} is empty; its first line must contain the column names")
    (_, names), *rest = rows
    for line, fields in rest:
        if len(fields) != len(names):
            raise InputError(f"{path}, line {line}: {len(fields)} fields, where the first line has {len(names)}")
    if twice := {name for name in names if names.count(name) > 1}:
        raise InputError(f"{path} has more than one column {', '.join(map(repr, sorted(twice)))}; rename all but one")
    columns = {name: [fields[position] for _, fields in rest] for position, name in enumerate(names)}
    return Table(str(path), columns, [line for line, _ in rest])


def chosen_points(path: Path | None, x: str | None, y: str | None) -> tuple[str, tuple[str, str], Column, Column]:
    """The two columns that a user has chosen to fit a line to.

    Args:
        path: of a table; None stands for the diabetes data, of which columns may be left out.
        x, y: the columns.
    Returns:
        The source, the names of the columns, and their numbers.
    Raises:
        InputError: a column is missing or has no name, or there are no two different values of ``x``.
    """
    table = diabetes() if path is None else read_table(path)
    if path is not None and None in (x, y):
        raise InputError(f"--data needs --x and --y; {table}")
    labels = x or "bmi", y or "progression"
    xs, ys = map(table.column, labels)
    if len(xs) < 2 or np.ptp(xs) == 0.0:
        raise InputError(f"{table.source}: a line needs at least two different values of {labels[0]!r}")
    return table.source, labels, xs, ys


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """`` (did you mean ...?)`` if one of the names is similar, otherwise an empty text."""
    originals = {known.lower(): known for known in names}
    matches = difflib.get_close_matches(name.lower(), originals, 1)
    return f" (did you mean {originals[matches[0]]!r}?)" if matches else ""

"""TensorBoard's messages, made of tensors, arrays and texts; the package tensorboardX has their formats."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from ..dispatch import convert
from ..errors import DTypeError, PluginError, SettingError, ShapeError
from ..tensors.tensor import describe

__all__ = ["check_name", "histogram", "image", "library", "scalar", "text"]


def library(module: str) -> Any:
    """A module of tensorboardX, which is loaded when the first writer is made."""
    try:
        return importlib.import_module(f"tensorboardX.{module}")
    except ImportError as error:
        raise PluginError(
            "summaries need the packages tensorboardX and pillow.",
            expected="both to be installed",
            got=str(error),
            fix="pip install 'polytape[tensorboard]'",
        ) from None


def scalar(name: str, value: Any) -> Any:
    """A number; see `polytape.summary.scalar`."""
    host = _host(value)
    if host.size != 1 or host.dtype.kind not in "biuf":
        error = ShapeError if host.size != 1 else DTypeError
        raise error(
            f"the summary {name!r} is not a number.",
            expected="a real number, or a real tensor with one element",
            got=describe(value),
            fix="reduce it, for example by pt.mean, or write a histogram",
        )
    return library("summary").scalar(name, float(host.reshape(())))


def histogram(name: str, values: Any, bins: str | int | Sequence[float]) -> Any:
    """The distribution of values; see `polytape.summary.histogram`."""
    host = _host(values)
    if not host.size or host.dtype.kind not in "biuf":
        raise ShapeError(
            f"the summary {name!r} has nothing to count.",
            expected="real values, at least one",
            got=describe(values),
            fix="leave it out while it is empty; for complex values write one of pt.real and one of pt.imag",
        )
    host = host.astype("float64").reshape(-1)
    infinite = (host - host) != 0  # of NaN and the infinities
    if infinite.any():
        raise SettingError(
            f"the summary {name!r} has values that belong to no bin.",
            expected="finite values",
            got=f"{int(infinite.sum())} of {host.size} values are NaN or infinite",
            fix="find where they come from, or select the finite ones by values[pt.isfinite(values)]",
        )
    return library("summary").histogram(name, host, bins)


def image(name: str, images: Any, max_images: int) -> list[Any]:
    """One message per image; see `polytape.summary.image`."""
    host = _host(images)
    if host.ndim == 3:
        host = host[None]
    if host.ndim != 4 or host.shape[-1] not in (1, 3, 4) or not host.size:
        raise ShapeError(
            f"the summary {name!r} is not an image.",
            expected="[height, width, channels] or [batch, height, width, channels], with 1, 3 or 4 channels",
            got=describe(images),
            fix="add the axis of channels by x[..., None], or move it to the end",
        )
    if host.dtype != "uint8":
        if host.dtype.kind != "f":
            raise DTypeError(
                f"the summary {name!r} has no scale.",
                expected="uint8 from 0 to 255, or floating-point numbers from 0 to 1",
                got=describe(images),
                fix="convert it",
            )
        # NaN is drawn black, like what is below 0.
        host = (host.astype("float64").clip(0.0, 1.0) * 255.0 + 0.5).astype("float64")
        host[host != host] = 0.0
        host = host.astype("uint8")
    make = library("summary").image
    names = [name if len(host) == 1 else f"{name}/{k}" for k in range(len(host))]
    return [make(tag, one, dataformats="HWC") for tag, one in zip(names[:max_images], host, strict=False)]


def text(name: str, value: str) -> Any:
    """A text in Markdown; see `polytape.summary.text`."""
    if not isinstance(value, str):
        raise DTypeError(
            f"the summary {name!r} is not a text.",
            expected="a str",
            got=f"{describe(value)} of type {type(value).__name__}",
            fix="use str(value), or an f-string",
        )
    return library("summary").text(name, value)


def check_name(name: Any) -> None:
    """Raise if this cannot be the name of a summary."""
    if not isinstance(name, str) or not name.strip() or name != name.strip():
        raise SettingError(
            "a summary needs a name.",
            expected="a text that is not empty, such as 'loss' or 'train/loss'",
            got=repr(name),
            fix="pass the name first, then the value, then step=",
        )


def _host(value: Any) -> Any:
    """The value as a NumPy array; a trace refuses to read a tensor."""
    return convert.asarray(value, None, None, None).numpy()

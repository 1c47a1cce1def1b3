"""The package onnx, which is optional."""

from __future__ import annotations

import importlib
from typing import Any

from ...errors import PluginError

__all__ = ["package"]


def package(module: str = "") -> Any:
    """The package onnx, or one of its modules.

    Raises:
        PluginError: it is not installed.
    """
    try:
        return importlib.import_module(f"onnx.{module}" if module else "onnx")
    except ImportError as error:
        raise PluginError(
            "polytape.interop.onnx needs the package onnx.",
            expected="an installation with the extra onnx",
            got=str(error),
            fix="pip install 'polytape[onnx]'",
        ) from None

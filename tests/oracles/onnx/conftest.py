"""Let the tests and the tool import the package `onnx_nodes`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

"""The benchmarks that asv runs: the cases of this checkout, whatever commit of polytape asv has installed."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "perf"))

"""One class per family of cases; see `polytape_perf.cases`."""

from __future__ import annotations

from polytape_perf.suite import families

globals().update(families())

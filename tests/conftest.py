"""Fixtures of all tests: a test that takes ``backend`` runs on every backend that is installed and usable."""

from __future__ import annotations

pytest_plugins = ["polytape.testing.plugin"]

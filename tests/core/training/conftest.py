"""What the tests of callbacks share."""

from __future__ import annotations

import pytest


@pytest.fixture
def losses() -> list[float]:
    """Losses of epochs, for which Keras 3.15.1 gave the expected results in test_monitoring.py and test_rates.py."""
    first = [1.0, 0.9, 0.95, 0.899, 0.92, 0.91, 0.89, 0.9, 0.89, 0.9]
    return [*first, 0.5, 0.6, 0.7, 0.49995, 0.55, 0.6, 0.7, 0.8, 0.9, 1.0]

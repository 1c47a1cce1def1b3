"""The list of primitives in the documentation is that of the sources."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_page_of_primitives_is_up_to_date() -> None:
    command = [sys.executable, str(CHECKOUT / "tools" / "write_primitives.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr

"""``python -m polytape`` is the command ``polytape``."""

from __future__ import annotations

import sys

from .cli import main

sys.exit(main())

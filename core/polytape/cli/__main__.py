"""``python -m polytape.cli`` is the command ``polytape``."""

from __future__ import annotations

import sys

from . import main

sys.exit(main())

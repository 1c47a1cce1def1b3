"""Names of other frameworks over polytape: aliases and thin adapters.

``from polytape.compat import tf1 as tf, tfe`` gives TensorFlow 1.7's.
"""

from __future__ import annotations

from . import tf1, tfe

__all__ = ["tf1", "tfe"]

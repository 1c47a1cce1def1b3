"""Names of other frameworks, as aliases of polytape's and thin adapters.

``from polytape.compat import tf1 as tf, tfe`` gives TensorFlow 1.7's.

May import: `autodiff`, `checkpoint`, `control`, `data`, `device`, `dispatch`, `dtypes`, `errors`, `graph`,
`inspection`, `nn`, `ops`, `optim`, `placement`, `plugins`, `random`, `registry`, `settings`, `state`, `summary`,
`tensors`, and polytape itself.
"""

from __future__ import annotations

from . import tf1, tfe

__all__ = ["tf1", "tfe"]

"""Control flow that depends on tensors: `polytape.cond`, `while_loop`, `fori_loop`, `scan` and `map`.

Outside a traced function they run Python's branches and loops. Inside one, each becomes one equation whose branches or
body are regions: `branching` has `cond`, `looping` the loops, `scanning` `scan` and `map`. `batching` has their form
under `polytape.vmap`, `structures` the checks of carried values, `gradients` what their gradients share. `forms`
names the equations for graphs in files.

May import: `autodiff`, `dispatch`, `dtypes`, `errors`, `graph`, `registry`, `tensors`, `tracebacks`.
"""

from __future__ import annotations

from .branching import cond
from .looping import fori_loop, while_loop
from .scanning import map, scan

__all__ = ["cond", "fori_loop", "map", "scan", "while_loop"]

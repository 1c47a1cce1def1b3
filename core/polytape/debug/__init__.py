"""Tools that watch the ops of a running program: where a NaN comes from, which line called an op, where time is spent.

`watching` starts and ends a tool: while one is in use, whatever serves an op is wrapped (`calls` has the wrapper, and
`Call`, what the tools are told); otherwise nothing is. `locations` finds the user's line; `lines`, `numerics` (with
`values`, which describes tensors), `callbacks` and `profiling` are the tools. `ranges` are the named parts of a
profile; `tables` and `traces` show one.

May import: `autodiff`, `device`, `dispatch`, `dtypes`, `errors`, `foreign_names`, `locks`, `optim`, `registry`,
`tensors`.
"""

from __future__ import annotations

from .callbacks import callback
from .calls import Call
from .lines import record_lines
from .locations import Location
from .numerics import check_numerics
from .profiling import Profile, profile
from .ranges import annotate
from .tables import Row

__all__ = ["Call", "Location", "Profile", "Row", "annotate", "callback", "check_numerics", "profile", "record_lines"]


def __getattr__(name: str) -> object:
    from ..foreign_names import unknown

    raise unknown("debug", name)

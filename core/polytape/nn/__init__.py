"""Neural ops: activations and losses on logits. They are declared in `polytape.ops.nn`, a module per family.

May import: `ops`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..ops.nn.activations import *
    from ..ops.nn.losses import *
else:
    from ..ops import families

    def __getattr__(name: str) -> object:
        if name == "__all__":
            return sorted(families.public_names("nn"))
        value = globals()[name] = families.find("nn", name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *families.public_names("nn")})

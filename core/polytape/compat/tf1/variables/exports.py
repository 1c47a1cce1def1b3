"""The names of ``tf`` itself that belong to variables and training, for the table of `polytape.compat.tf1`.

Attributes:
    ADAPTERS: modules of ``polytape.compat.tf1`` by name, each with the public names that it defines.
    NAMESPACES: the modules that are names of ``tf`` themselves.
    MISSING: lines ``name, name: what to write instead`` for names that do not exist here.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ADAPTERS", "NAMESPACES"]

ADAPTERS: Final[dict[str, tuple[str, ...]]] = {
    "variables.collections": ("GraphKeys", "add_to_collection", "get_collection", "get_collection_ref"),
    "variables.creation": ("Variable",),
    "variables.names": ("name_scope",),
    "variables.resetting": ("reset_default_graph",),
    "variables.scopes": (
        "VariableScope",
        "get_local_variable",
        "get_variable",
        "get_variable_scope",
        "variable_scope",
    ),
    "variables.stores": ("AUTO_REUSE",),
    "variables.templates": ("make_template",),
}
NAMESPACES: Final = ("contrib", "data", "errors", "keras", "layers", "losses", "metrics", "summary", "train")

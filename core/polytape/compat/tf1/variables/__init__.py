"""TensorFlow 1.7's variables, their names and scopes.

`creation` makes variables, `names` has the name scopes, `scopes` the variable scopes and `get_variable`, `stores` what
keeps variables by name, `templates` functions that own variables, `collections` the lists of objects by key.
"""

from __future__ import annotations

from .collections import GraphKeys, add_to_collection, get_collection, get_collection_ref
from .creation import Variable
from .names import name_scope
from .scopes import VariableScope, get_local_variable, get_variable, get_variable_scope, variable_scope
from .stores import AUTO_REUSE, EagerVariableStore
from .templates import make_template

__all__ = [
    "AUTO_REUSE",
    "EagerVariableStore",
    "GraphKeys",
    "Variable",
    "VariableScope",
    "add_to_collection",
    "get_collection",
    "get_collection_ref",
    "get_local_variable",
    "get_variable",
    "get_variable_scope",
    "make_template",
    "name_scope",
    "variable_scope",
]

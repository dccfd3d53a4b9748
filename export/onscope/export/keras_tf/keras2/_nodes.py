"""Nodes of Keras 2, the calls of a layer: which outputs of which calls each one reads.

Format: a reference is [layer, call, output], with the arguments of the call as a fourth where it is what the layer is
called with, and ["_CONSTANT_VALUE", -1, value] in the place of a tensor; a node is one of them, or lists of them.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Any

CONSTANT = "_CONSTANT_VALUE"


def is_reference(value: Any, names: Container[str]) -> bool:
    """Whether it is [layer, call, output], with arguments or without, or a constant in its place."""
    if not isinstance(value, (list, tuple)) or len(value) not in (3, 4) or not isinstance(value[0], str):
        return False
    if value[0] == CONSTANT:
        return bool(value[1] == -1)
    return value[0] in names and all(type(number) is int and number >= 0 for number in value[1:3])


def references(value: Any, names: Container[str]) -> Iterator[tuple[str, int]]:
    """(layer, call) of everything that a node reads."""
    if is_reference(value, names):
        if value[0] != CONSTANT:
            yield value[0], value[1]
        value = value[2:]
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ():
        yield from references(each, names)


def mapped(value: Any, names: Container[str], at: Callable[[Any], Any]) -> Any:
    """The value with tensors where it names them."""
    if is_reference(value, names):
        return value[2] if value[0] == CONSTANT else at(value)
    if isinstance(value, dict):
        return {name: mapped(each, names, at) for name, each in value.items()}
    return [mapped(each, names, at) for each in value] if isinstance(value, (list, tuple)) else value


def leaves(node: Any, names: Container[str]) -> list[Any]:
    """The references and constants that a layer is called with, in their order."""
    if is_reference(node, names):
        return [node]
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, (list, tuple)) else ()
    return [leaf for each in inner for leaf in leaves(each, names)]

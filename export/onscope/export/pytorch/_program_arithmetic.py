"""Sizes and conditions in the description of a torch.export program: arithmetic, and nothing else.

PyTorch evaluates them as Python (sympy.sympify, guards made source), so each is parsed, and every node of it looked at.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from onscope.runtime import ExportError

from .._original import one_line

SYMBOLS = re.compile(
    "([suz][a-z]{0,3}[0-9]+|Symbol|Integer|Float|Rational|One|Zero|NegativeOne|Half|Add|Mul|Pow|Max|Min|Mod|PythonMod|"
    "FloorDiv|CeilDiv|CleanDiv|ModularIndexing|CeilToInt|FloorToInt|TruncToInt|RoundToInt|TruncToFloat|ToFloat|"
    "IntTrueDiv|FloatTrueDiv|PowByNatural|Where|Identity|And|Or|Not|Eq|Ne|Le|Lt|Ge|Gt|Equality|Unequality|LessThan|"
    "StrictLessThan|GreaterThan|StrictGreaterThan|true|false|True|False|positive|nonnegative|integer|real|precision)"
)
"""Names in sizes: symbols, the functions that PyTorch writes them with, and those functions' arguments."""
MOST_POWERS, MOST_RAISED, LARGEST = 2, 8, 1 << 63
"""Powers in one size, the largest exponent, and the largest number: towers of powers have no end."""
LONGEST = 20_000
_FLOAT = re.compile(r"-?\d{1,40}(\.\d{0,40})?(e[+-]?\d{1,3})?", re.ASCII)


def check_size(text: str) -> None:
    """Raise ExportError unless a size is arithmetic of numbers and symbols, as sympy writes it."""
    powers = 0
    for node in _parsed(text, "the size"):
        match node:
            case ast.Name(id=name) if SYMBOLS.fullmatch(name):
                continue
            case ast.Constant(value=bool() | float()):
                continue
            case ast.Constant(value=int(number)) if abs(number) < LARGEST:
                continue
            case ast.Call(func=ast.Name(id="Symbol"), args=[ast.Constant(value=str(name))]) if SYMBOLS.fullmatch(name):
                continue
            case ast.Call(func=ast.Name(id="Float"), args=[ast.Constant(value=str(name))]) if _FLOAT.fullmatch(name):
                continue
            case ast.Call(func=ast.Name(id="Pow" | "PowByNatural"), args=[_, power]) if _is_small(power):
                powers += 1
            case ast.Call(func=ast.Name(id=name), args=args) if not name.startswith("Pow") and not _are_texts(*args):
                continue
            case ast.BinOp(op=ast.Pow(), left=base, right=power) if _is_small(power) and not _are_texts(base):
                powers += 1
            case ast.BinOp(op=ast.Pow() | ast.LShift() | ast.RShift() | ast.MatMult()):
                break
            case ast.BinOp(left=left, right=right) if not _are_texts(left, right):
                continue
            case ast.UnaryOp() | ast.Compare() | ast.keyword():
                continue
            case ast.Constant(value=str(name)) if SYMBOLS.fullmatch(name) or _FLOAT.fullmatch(name):
                continue  # of Symbol or Float: what else it stands in is refused
            case ast.Expression() | ast.operator() | ast.unaryop() | ast.cmpop() | ast.Load():
                continue
            case _:
                break
        if powers > MOST_POWERS:
            break
    else:
        return
    raise wrong("the size", text)


def checked_guard(text: Any) -> str:
    """The same condition on the inputs' sizes, if it is one, such as L['x'].size()[2] % 2 == 0."""
    for node in _parsed(text, "the guard"):
        match node:
            case ast.BinOp(op=ast.Pow() | ast.LShift()):
                break
            case ast.Constant(value=bool() | float()):
                continue
            case ast.Constant(value=int(number)) if abs(number) < LARGEST:
                continue
            case ast.Subscript(value=ast.Name(id="L"), slice=ast.Constant(value=str(name))) if _plain(name):
                continue
            case ast.Subscript(slice=ast.Constant(value=int()) | ast.UnaryOp()):
                continue
            case ast.Name(id="L" | "Max" | "Min" | "max" | "min" | "math"):
                continue
            case ast.Attribute(attr="size" | "stride" | "storage_offset"):
                continue
            case ast.Attribute(value=ast.Name(id="math"), attr="floor" | "ceil" | "trunc"):
                continue
            case ast.Call(func=ast.Attribute() | ast.Name(id="Max" | "Min" | "max" | "min"), keywords=[]):
                continue
            case ast.Constant(value=str(name)) if _plain(name):
                continue  # where it is no name of an input, what it stands in is refused
            case ast.BinOp(left=left, right=right) if not _are_texts(left, right):
                continue
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp():
                continue
            case ast.Expression() | ast.operator() | ast.unaryop() | ast.boolop() | ast.cmpop() | ast.Load():
                continue
            case _:
                break
    else:
        return str(text)
    raise wrong("the guard", text)


def _parsed(text: Any, what: str) -> Iterator[ast.AST]:
    """All nodes of an expression; raises ExportError where it is none of one line, or too long."""
    try:
        if len(str(text)) > LONGEST or not str(text).isprintable() or "#" in str(text):
            raise ValueError("no expression of one line")
        yield from ast.walk(ast.parse(str(text), mode="eval"))
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise wrong(what, text) from error


def _is_small(power: ast.expr) -> bool:
    match power:
        case ast.Constant(value=int(number)):
            return abs(number) <= MOST_RAISED
        case ast.UnaryOp(op=ast.USub(), operand=inside) | ast.Call(func=ast.Name(id="Integer"), args=[inside]):
            return _is_small(inside)
    return False


def _plain(name: str) -> bool:
    return name.isidentifier() and not name.startswith("__")


def _are_texts(*nodes: ast.expr) -> bool:
    return any(isinstance(node, ast.Constant) and isinstance(node.value, str) for node in nodes)


def wrong(what: str, text: object) -> ExportError:
    """What a program holds that is refused."""
    return ExportError(
        f"found {what} {one_line(text, 100)!r} in the torch.export program, expected ATen operators, tensors and sizes "
        "alone: anything else could run code, so it is not opened"
    )

"""The description of a torch.export program, held to what a network needs before PyTorch reads it.

PyTorch's own reader (torch/_export/serde/serialize.py, torch 2.13) trusts it: symbolic sizes go through
`sympy.sympify`, which evaluates Python; names of nodes and guards become source that is executed; operators are looked
up anywhere in the module torch; tree specifications may import modules. What passes here is: ATen operators and
arithmetic, plain names, sizes and guards that are arithmetic of sizes, and tuples, lists and dictionaries.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ._program_arithmetic import check_size, checked_guard, wrong

ARITHMETIC = re.compile(
    "(add|sub|mul|floordiv|truediv|mod|pow|neg|pos|abs|eq|ne|lt|le|gt|ge|getitem|and_|or_|not_|xor)"
)
SIZES = re.compile("sym_(int|float|max|min|not|ite|sqrt|sum)")
HIGHER = ("cond", "wrap_with_autocast", "wrap_with_set_grad_enabled")
FILES = ("from_file", "save")
"""Operators of ATen that open files."""
MATHS = re.compile("ceil|floor|trunc|sqrt|pow|exp|log|log2|a?sin|a?cos|a?tan|sinh|cosh|tanh|fabs|copysign")
_NAME = re.compile(r"[A-Za-z_]\w{0,500}|", re.ASCII)
_DOTTED = re.compile(r"(?!__)\w{1,200}(\.(?!__)\w{1,200}){0,60}|", re.ASCII)
_TEXT = re.compile(r"[\w ,.:>+*/|-]{0,500}", re.ASCII)
_VERSION = re.compile(r"[\w.+-]{0,80}", re.ASCII)
_DOTS = re.compile("fqn|parameter_name|buffer_name|tensor_constant_name|gradient_to_\\w+|user_input_name")
"""Where names may have dots."""
_TREES = {"builtins.tuple": ("null",), "builtins.list": ("null",), "builtins.dict": None}


def checked_program(content: Any) -> dict[str, Any]:
    """A copy of a program's description, on the CPU and without its traces, that cannot execute anything.

    Raises ExportError with what it holds instead.
    """
    if not isinstance(content, dict) or not isinstance(content.get("graph_module"), dict):
        raise wrong("no graph", "")
    guards = content.get("guards_code") or []
    if not isinstance(guards, list):
        raise wrong("the guards", guards)
    copy = {**content, "guards_code": [checked_guard(one) for one in guards]}
    walked: dict[str, Any] = {key: value if key == "guards_code" else _walk(value, key) for key, value in copy.items()}
    return walked


def checked_payload(content: Any) -> dict[str, Any]:
    """The list of a program's weights or constants, on the CPU; raises ExportError for pickles and other objects."""
    config = content.get("config") if isinstance(content, dict) else None
    if not isinstance(config, dict):
        raise wrong("no list of tensors", "")
    for name, meta in config.items():
        if not _DOTTED.fullmatch(str(name)) or not isinstance(meta, dict):
            raise wrong("the tensor", name)
        place = meta.get("path_name")
        if meta.get("use_pickle") is not False or not re.fullmatch(r"(weight|tensor)_\d{1,9}", str(place)):
            raise wrong("the pickled object", name)
    return {"config": {name: _walk(meta, "tensor") for name, meta in config.items()}}


def _walk(value: Any, key: str) -> Any:
    if key in ("metadata", "treespec_namedtuple_fields"):
        return {}
    if isinstance(value, Mapping):
        if "as_custom_obj" in value or "custom_obj" in value:
            raise wrong("the custom object", json.dumps(value))
        if key in ("device", "as_device") and "type" in value:
            return {"type": "cpu", "index": None}
        for name in map(str, value):
            check_size(name) if key == "range_constraints" else _require(_NAME, name, "the name")
        return {name: _walk(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_walk(inner, key) for inner in value]
    if isinstance(value, str):
        _word(value, key)
    return value


def _word(text: str, key: str) -> None:
    if key in ("target", "as_operator"):
        _operator(text)
    elif key == "expr_str":
        check_size(text)
    elif key in ("in_spec", "out_spec"):
        _tree(text)
    elif key in ("as_string", "as_strings"):
        _require(_TEXT, text, "the text")
    elif key in ("torch_version", "as_float", "as_floats"):
        _require(_VERSION, text, f"the {key}")
    else:
        _require(_DOTTED if _DOTS.fullmatch(key) else _NAME, text, "the name")


def _require(pattern: re.Pattern[str], text: str, what: str) -> None:
    if not pattern.fullmatch(text):
        raise wrong(what, text)


def _operator(target: str) -> None:
    import torch

    parts = target.split(".")
    match parts:
        case ["_operator", name] if ARITHMETIC.fullmatch(name):
            return
        case ["math", name] if MATHS.fullmatch(name):
            return
        case ["torch", name] if SIZES.fullmatch(name):
            return
        case ["torch", "ops", "higher_order", name] if name in HIGHER:
            return
        case ["torch", "ops", "aten" | "prims" as room, name, overload] if name not in FILES:
            packet = getattr(getattr(torch.ops, room), name, None)
            if isinstance(getattr(packet, overload, None), torch._ops.OpOverload):
                return
    raise wrong("the operator", target)


def _tree(text: str) -> None:
    try:
        version, spec = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise wrong("the arguments", text) from error
    todo = [spec]
    while todo:
        one = todo.pop()
        if not isinstance(one, dict) or version != 1 or not isinstance(one.get("type"), str | None):
            raise wrong("the arguments", text)
        kind, context = one.get("type"), one.get("context")
        if kind is not None and (kind not in _TREES or (_TREES[kind] and context not in ("null",))):
            raise wrong("the arguments", kind)
        if kind == "builtins.dict" and not re.fullmatch(r'\[("\w+"(, "\w+")*)?\]', str(context), re.ASCII):
            raise wrong("the arguments", context)
        inside = one.get("children_spec") or []
        if not isinstance(inside, list):
            raise wrong("the arguments", text)
        todo.extend(inside)

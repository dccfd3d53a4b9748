"""The route of a state dict: tensors from a file, the class that they belong to from installed or trusted code.

Nothing of the file is executed (`torch.load(weights_only=True)`), and nothing of the network's name is evaluated: it is
parsed, its values are literals, and it may name nothing but a class of networks.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from onscope.runtime import ExportError

from .._original import Stated, file_sha256, one_line
from ..pytorch import TorchNetwork, fill, read_tensors, require_torch
from . import Asked

if TYPE_CHECKING:
    from torch import nn


class NetworkName(NamedTuple):
    """`module:Class(value, name=value)` in its parts; the values are literals."""

    module: str
    qualname: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


def load(source: Path, asked: Asked) -> TorchNetwork:
    """As `load_state_dict`; raises ExportError without a class."""
    if asked.network is None:
        raise ExportError(f"found no class for the state dict {source.name}, expected --network module:Class(value)")
    return load_state_dict(source, asked.network, asked.code, asked.trust_code, asked.key)


def load_state_dict(
    source: Path, network: str, code: Path | None = None, trust_code: bool = False, key: str = ""
) -> TorchNetwork:
    """Build `network` ("module:Class(features=8)") and fill it with the tensors of `source` (.pt, .pth).

    The module comes from what is installed, or from the folder `code` if `trust_code` says so (importing runs it).
    Checkpoints that keep the state dict under a key or a prefix, and files of safetensors, are understood; `key` says
    which where several fit (`fill`). Raises ExportError: the file is missing, holds a pickled network or no tensors;
    the name cannot be parsed, its class cannot be built or is no network; names or shapes of the tensors differ.
    """
    require_torch()
    digest = file_sha256(source)
    name = parse_network(network)
    if code is not None and not trust_code:
        raise ExportError(
            f"found code to import in {code}, expected a word that you trust it: importing runs it, so read it and add "
            "--trust-code"
        )
    tensors = read_tensors(source)
    built = _build(name, code)
    notes = fill(built, tensors, source, network, key=key)
    return TorchNetwork(built.eval(), f"the state dict {source.name} with {network}", digest, Stated(notes=notes))


def parse_network(text: str) -> NetworkName:
    """The parts of "module:Class(value, name=value)"; raises ExportError for anything that is not just that."""
    wrong = ExportError(
        f"found the network {one_line(text, 120)!r}, expected module:Class or module:Class(name=value) with plain "
        "values (numbers, texts, lists)"
    )
    module, colon, call = text.strip().partition(":")
    if not colon or not all(part.isidentifier() for part in module.split(".")):
        raise wrong
    try:
        node = ast.parse(call.strip(), mode="eval").body
        args, kwargs = [], {}
        if isinstance(node, ast.Call):
            args = [ast.literal_eval(value) for value in node.args]
            kwargs = {str(word.arg): ast.literal_eval(word.value) for word in node.keywords if word.arg is not None}
            if len(kwargs) != len(node.keywords):
                raise wrong
            node = node.func
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError) as error:
        raise wrong from error
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise wrong
    return NetworkName(module, ".".join([node.id, *reversed(names)]), tuple(args), kwargs)


def _build(name: NetworkName, code: Path | None) -> nn.Module:
    from torch import nn

    with _importable(code):
        _forget(name.module, code)
        try:
            found: Any = importlib.import_module(name.module)
        except Exception as error:  # whatever the code of somebody else raises
            where = f"in {code} or among what is installed" if code else "among what is installed"
            raise ExportError(
                f"found no module {name.module!r} that can be imported {where} ({one_line(error, 120)}): install it, "
                "or name its folder with --code"
            ) from error
        for part in name.qualname.split("."):
            found = getattr(found, part, None)
        if not (isinstance(found, type) and issubclass(found, nn.Module)):
            raise ExportError(
                f"found no class {name.qualname!r} of torch.nn.Module in {name.module}, expected the network's class"
            )
        try:
            built = found(*name.args, **name.kwargs)
        except Exception as error:  # whatever the code of somebody else raises
            raise ExportError(
                f"found that {name.qualname} cannot be built ({one_line(error)}): check its values"
            ) from error
    return built


def _forget(module: str, code: Path | None) -> None:
    """Modules of that name that were imported before, if `code` has its own: another folder's, or an older version."""
    top = module.partition(".")[0]
    if code is not None and ((code / top).is_dir() or (code / f"{top}.py").is_file()):
        for known in [known for known in sys.modules if known == top or known.startswith(f"{top}.")]:
            del sys.modules[known]


@contextlib.contextmanager
def _importable(code: Path | None) -> Iterator[None]:
    """Import from what is installed, not from the current folder; `code` goes first when it is given."""
    before = list(sys.path)
    sys.path[:] = [entry for entry in sys.path if entry and Path(entry).resolve() != Path.cwd()]
    if code is not None:
        sys.path.insert(0, str(code.resolve()))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = before

"""A state dict with the architecture that its package names: code of a library or of the package, run when trusted."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from onscope.runtime import ExportError, PackageError
from onscope.runtime.package import StatedPackage

from .._original import Stated, file_sha256, one_line
from ..pytorch import TorchNetwork, fill, read_tensors, require_torch

if TYPE_CHECKING:
    from torch import nn


class Architecture(NamedTuple):
    """`callable` of the module `place`, or of the package's file `source`, and what it is called with."""

    callable: str
    kwargs: Mapping[str, Any]
    place: str = ""
    source: str = ""
    sha256: str | None = None


def load_architecture(package: StatedPackage, entry: Mapping[str, Any]) -> TorchNetwork:
    """Build the network that `entry` (weights.pytorch_state_dict) names, and fill it with its tensors.

    This runs code: only for those who were told so. The sha256 of a file of the package is checked first. Raises
    ExportError and PackageError: the file or module is missing or changed, builds no network, or the tensors differ.
    """
    require_torch()
    named = architecture_of(entry)
    weights = package.file(entry, "state dict")
    tensors = read_tensors(weights)
    network = _built(package, named)
    where = named.source or named.place
    notes = fill(network, tensors, weights, f"{where}:{named.callable}", entry.get("strict") is not False)
    if named.source and named.sha256 is None:
        notes = (*notes, f"the code in {named.source} was run without a sha256 to check it by: the package states none")
    route = f"the state dict {weights.name} with {where}:{named.callable}"
    return TorchNetwork(network.eval(), route, file_sha256(weights), Stated(notes=notes))


def architecture_of(entry: Mapping[str, Any]) -> Architecture:
    """What a description of either format names; raises ExportError where it names nothing."""
    stated, kwargs = entry.get("architecture"), entry.get("kwargs")
    if isinstance(stated, str):  # format 0.4: file.py:Class or package.module.Class
        source, colon, name = stated.rpartition(":")
        if colon:
            return Architecture(name, _plain(kwargs), source=source, sha256=entry.get("architecture_sha256"))
        place, _, name = stated.rpartition(".")
        return Architecture(name, _plain(kwargs), place)
    if isinstance(stated, Mapping) and isinstance(stated.get("callable"), str):
        kwargs, name = _plain(stated.get("kwargs")), stated["callable"]
        if isinstance(stated.get("source"), str):
            return Architecture(name, kwargs, source=stated["source"], sha256=stated.get("sha256"))
        if isinstance(stated.get("import_from"), str):
            return Architecture(name, kwargs, stated["import_from"])
    raise ExportError(
        f"found no architecture for the state dict ({one_line(stated, 80)}), expected a callable with the file or the "
        "module that it is in: correct the rdf.yaml"
    )


def _plain(kwargs: Any) -> Mapping[str, Any]:
    if kwargs is None:
        return {}
    if not isinstance(kwargs, Mapping) or not all(isinstance(key, str) for key in kwargs):
        raise ExportError(
            f"found {one_line(kwargs, 80)!r} as the architecture's arguments, expected names with values: correct them"
        )
    return kwargs


def _built(package: StatedPackage, named: Architecture) -> nn.Module:
    from torch import nn

    where = named.source or named.place
    before = list(sys.path)
    try:
        module = _from_file(package, named) if named.source else importlib.import_module(named.place)
        make: Callable[..., Any] | None = getattr(module, named.callable, None)
        if not callable(make):
            raise ExportError(
                f"found no {named.callable} in {where}, expected the network's class: correct the rdf.yaml"
            )
        built = make(**named.kwargs)
    except (ExportError, PackageError):
        raise
    except ImportError as error:
        raise ExportError(
            f"found no module for the architecture {where}:{named.callable} ({one_line(error, 120)}), expected it "
            "to be installed: install the library that the package needs"
        ) from error
    except Exception as error:  # whatever the code of somebody else raises
        raise ExportError(
            f"found that {where}:{named.callable} cannot be built ({one_line(error)}): check its arguments, and the "
            "version of the library"
        ) from error
    finally:
        sys.path[:] = before
    if not isinstance(built, nn.Module):
        raise ExportError(
            f"found that {where}:{named.callable} gives {type(built).__name__}, expected a torch.nn.Module"
        )
    return built


def _from_file(package: StatedPackage, named: Architecture) -> Any:
    """The file as a module under a name of its own, its folder importable from now on; the caller ends that."""
    path = package.file({"source": named.source, "sha256": named.sha256}, "architecture")
    name = f"_onscope_architecture_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ExportError(f"found {path.name} as the architecture, expected a Python file: correct the rdf.yaml")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module

"""A model repository, written: a folder per graph, and one per chain of graphs."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .._errors import PipelineError
from ..kserve import class_name, model_name
from ._batched import batched_graph
from ._config import FILES, config_of, read_config, text_of
from ._ensemble import FRAME, Link, ensemble, image_of, why_not
from ._options import Options
from ._plans import plan_of
from ._reshaped import reshaped
from ._tensors import Ports, as_bytes, ports_of, size_of

if TYPE_CHECKING:
    from ..worker import Chain, Group

VERSION = "1"
CONFIG = "config.pbtxt"
PYTHON_MODEL = Path(__file__).with_name("python_model.py")


@dataclass(frozen=True, slots=True)
class Written:
    """A model in the repository: the stages that its graph runs, windows in one run (0: no axis for them), whether the
    server keeps a memory, and what the user should know. `fresh`: it was not there before as it is now. `classes` are
    the names of the same model for microscopes of the classes before the usual one."""

    name: str
    stages: tuple[str, ...]
    folder: Path
    backend: str
    most: int
    remembers: bool
    size_bytes: int
    fresh: bool
    told: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deployed:
    """All models of a pipeline for frames of one size; `chain` is the ensemble that runs its graphs after each other
    ("": there is none), `told` what is left to the client."""

    models: tuple[Written, ...]
    chain: str = ""
    told: tuple[str, ...] = field(default=())


def deploy(chain: Chain, repository: Path, options: Options, facts: dict[str, Any]) -> Deployed:
    """Write the models of an opened chain's graphs into a repository, which is made if it is not there.

    A model is named after its graph, so that one of another graph, or of frames of another size, stands beside it.
    `facts` of the pipeline are put into each configuration. Raises PipelineError, or ProviderError where a plan lacks.
    """
    try:
        repository.mkdir(parents=True, exist_ok=True)
        written, links, told = [], [], []
        for group in chain.groups:
            one, ports = _model(group, repository, options, facts)
            written.append(one)
            links.append(Link(one.name, group.reads, group.compiled, ports))
        name, why = "", why_not(links) if len(links) > 1 else ""
        if why:
            told.append(f"the graphs are asked for one after another: {why}")
        elif len(links) > 1:
            made = ensemble([_reader(link, links, repository, options) for link in links])
            name = made.name
            _write(repository / name, {CONFIG: text_of(made)}, {})
    except OSError as error:
        raise PipelineError(f"cannot write into {repository}: {error.strerror or error}") from error
    if chain.host.described:
        stages = ", ".join(each for described in chain.host.described for each in described["stages"])
        told.append(f"{stages}: run on the microscope's computer, on what the server answers")
    return Deployed(tuple(written), name, tuple(told))


def _model(group: Group, repository: Path, options: Options, facts: dict[str, Any]) -> tuple[Written, Ports]:
    compiled = group.compiled
    told: list[str] = []
    # Of tiles each has a memory of its own, which goes to and fro with them.
    keeps = bool(compiled.states) and compiled.tiling is None
    graph, most = compiled.path, 0
    if options.batch > 1 and not compiled.states and options.backend != "tensorrt":
        graph, most, why = batched_graph(group, options.batch)
        told += [why] if why else []
    ports = ports_of(compiled, keeps, most)
    name = model_name(compiled.sha256)
    files: dict[str, Path] = {}
    if options.backend == "tensorrt":
        files[FILES["tensorrt"]] = plan_of(compiled)
        ports = as_bytes(ports)
    else:
        files["model.onnx"] = graph
    known: dict[str, Any] = {**facts, "graph": compiled.sha256, "stages": list(compiled.stages)}
    if options.backend == "python":
        files[FILES["python"]] = PYTHON_MODEL
        states = [{"input": s.input, "output": s.output, "shape": s.shape, "dtype": s.dtype} for s in compiled.states]
        known |= {"states": states if keeps else [], "sequences": options.sequences}
    classes = tuple(class_name(name, priority) for priority in range(1, options.priorities))
    fresh = False
    for priority, each in enumerate((*classes, name), 1):
        text = text_of(config_of(each, ports, options, known, priority))
        read_config(text)
        fresh |= _write(repository / each, {CONFIG: text}, files)
    size = size_of(repository / name)
    stages, folder = tuple(compiled.stages), repository / name
    return Written(name, stages, folder, options.backend, most, keeps, size, fresh, tuple(told), classes), ports


def _reader(link: Link, links: Sequence[Link], repository: Path, options: Options) -> Link:
    """A graph of an ensemble. One that takes an image with other axes than it is given with is written once more."""
    if link.reads == FRAME or (image := image_of(links, link.reads)).shape == link.ports.given[0].shape:
        return link
    if options.backend == "tensorrt":
        raise PipelineError(
            "found graphs that need other axes between them, expected the back end onnxruntime for a chain"
        )
    ports = replace(link.ports, given=(replace(link.ports.given[0], shape=image.shape),))
    name = f"{link.model}-reads-{image.name.replace('.', '-')}"
    facts: dict[str, Any] = {"graph": link.compiled.sha256, "stages": list(link.compiled.stages), "for": "ensembles"}
    files = {FILES["python"]: PYTHON_MODEL} if options.backend == "python" else {}
    content = {"model.onnx": reshaped(link.compiled.path, link.ports.given[0], [size or 0 for size in image.shape])}
    _write(repository / name, {CONFIG: text_of(config_of(name, ports, options, facts))}, files, content)
    return replace(link, model=name, ports=ports)


def _write(
    folder: Path,
    texts: Mapping[str, str],
    files: Mapping[str, Path],
    contents: Mapping[str, bytes] = MappingProxyType({}),
) -> bool:
    """Write a model's folder whole, in the place of the one before; whether it is another one than that."""
    with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder.parent) as spare:
        made = Path(spare, folder.name)
        (made / VERSION).mkdir(parents=True)
        for name, text in texts.items():
            (made / name).write_text(text, encoding="utf-8")
        for name, source in files.items():
            shutil.copyfile(source, made / VERSION / name)
        for name, content in contents.items():
            (made / VERSION / name).write_bytes(content)
        if folder.is_dir() and _contents(folder) == _contents(made):
            return False
        if folder.exists():
            folder.rename(Path(spare, "before"))
        made.rename(folder)
        os.chmod(folder, 0o755)  # the server is often another user
    return True


def _contents(folder: Path) -> Sequence[tuple[str, bytes]]:
    files = sorted(each for each in folder.rglob("*") if each.is_file() and each.parent.name != "__pycache__")
    return [(str(each.relative_to(folder)), each.read_bytes()) for each in files]

"""A bundle, from nothing to its last file."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from ._errors import BundleError
from ._lists import LIST, hash_list, requirements, sha256
from ._own import own_wheel, pins_of
from ._pipelines import copy_pipeline
from ._resolve import gather
from ._target import PLATFORMS, Target

FILES = files(__package__) / "files"
UNITS = files("onscope.runtime.service") / "units"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What goes into a bundle; None: as here, as tested."""

    extras: tuple[str, ...] = ("cpu",)
    pipelines: tuple[Path, ...] = ()
    platform: str | None = None
    python: str | None = None
    onscope: Path | None = None
    constraints: Path | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it; `list_sha256` is the hash of its list of hashes, `pinned` whether versions were given."""

    wheels: int
    files: int
    bytes: int
    list_sha256: str
    pinned: bool


def make(out: Path, wanted: Wanted, tell: Callable[[str], object] = len) -> Made:
    """Make a bundle at `out`, which is new: a folder, or a .zip. It appears there whole or not at all.

    Raises BundleError, and what loading a pipeline raises.
    """
    if out.exists() and (out.is_file() or any(out.iterdir())):
        raise BundleError(f"found something at {out}, expected a new folder or a new .zip: name another place")
    target, pins = Target.of(wanted.platform, wanted.python), pins_of(wanted.constraints)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".onscope-bundle-") as temporary:
        folder = Path(temporary) / (out.stem if _is_zip(out) else out.name)
        (folder / "wheels").mkdir(parents=True)
        for path in wanted.pipelines:  # first what may be refused in a second
            copy_pipeline(path, folder / "pipelines")
        own = own_wheel(wanted.onscope, folder / "wheels", target)
        wheels = gather(own, wanted.extras, target, folder / "wheels", pins, tell)
        tell("writing the lists")
        (folder / "requirements.txt").write_text(requirements(wheels), encoding="utf-8", newline="\n")
        facts = _facts(target) | {"onscope": str(own.version), "extras": list(wanted.extras)}
        (folder / "bundle.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8", newline="\n")
        _add_files(folder, str(own.version), target, wanted.extras)
        (folder / LIST).write_text(hash_list(folder), encoding="utf-8", newline="\n")
        listed = sha256(folder / LIST)
        everything = [path for path in folder.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in everything)
        _put(folder, out)
    return Made(len(wheels), len(everything), size, listed, pins is not None)


def _facts(target: Target) -> dict[str, Any]:
    markers = PLATFORMS[target.platform].markers
    told = {"system": markers["sys_platform"], "machine": markers["platform_machine"]}
    return {"schema": 1, "python": target.python, "platform": target.platform, **told}


def _add_files(folder: Path, version: str, target: Target, extras: tuple[str, ...]) -> None:
    for name in ("install.sh", "install.ps1", "install.py"):
        (folder / name).write_bytes((FILES / name).read_bytes())
    (folder / "install.sh").chmod(0o755)
    words = (FILES / "README.txt").read_text(encoding="utf-8")
    told = {"version": version, "python": target.python, "platform": target.platform, "extras": ", ".join(extras)}
    for key, value in told.items():
        words = words.replace(f"{{{key}}}", value)
    (folder / "README.txt").write_text(words, encoding="utf-8", newline="\n")
    (folder / "services").mkdir()
    for unit in UNITS.iterdir():
        (folder / "services" / unit.name).write_bytes(unit.read_bytes())


def _put(folder: Path, out: Path) -> None:
    if not _is_zip(out):
        if out.exists():
            out.rmdir()
        shutil.move(folder, out)
        return
    packed = folder.parent / out.name
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:  # wheels are packed already
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, f"{folder.name}/{path.relative_to(folder).as_posix()}")
    shutil.move(packed, out)


def _is_zip(out: Path) -> bool:
    return out.suffix.lower() == ".zip"

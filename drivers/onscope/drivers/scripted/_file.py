"""Scripted cameras from a file or a few words: `scripted:FILE.yaml`, `scripted:fps=200,n=500,size=512`.

The file is YAML 1.2; a step has one key, and its value is that of its first field or a mapping of its fields:

    schema: 1
    cameras:
      left:
        shape: [512, 512]
        buffer: 16
        steps:
          - steady: {n: 200, fps: 1000, jitter: 0.2}
          - burst: 50
          - restart:
          - change: {shape: [256, 256], dtype: uint8}
          - fail: unplugged
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from onscope.runtime import OnscopeError, SourceError
from onscope.runtime.checked_yaml import read_checked

from ._camera import MOST_STEPS, ScriptedCamera, camera
from ._cameras import ScriptedCameras, cameras
from ._steps import STEPS, Steady, Step

WORDS: Mapping[str, type] = {
    "fps": float,
    "n": int,
    "size": str,
    "dtype": str,
    "jitter": float,
    "seed": int,
    "name": str,
}


class CameraModel(BaseModel):
    """One camera; its settings are those of `scripted.camera`."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    shape: tuple[int, int] = (512, 512)
    dtype: str = "uint16"
    axes: str = "yx"
    seed: int = Field(1, ge=0)
    exposure_ms: float | None = Field(None, description="ms")
    pixel_size_um: float | None = Field(None, description="micrometres")
    binning: int = 1
    paced: bool = True
    buffer: int | None = Field(None, description="frames that wait to be taken")
    on_overflow: Literal["drop", "stop"] = "drop"
    repeat: int = Field(1, ge=1, le=100_000, description="times that the steps are played")
    steps: list[Any] = Field(min_length=1, max_length=100_000)


class FileModel(BaseModel):
    """A file of scripted cameras."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    schema_: Literal[1] = Field(alias="schema", description="version of this format")
    cameras: Annotated[dict[str, CameraModel], Field(min_length=1, max_length=64)]


def source(argument: str = "") -> ScriptedCamera | ScriptedCameras:
    """The cameras of a YAML file, or one that is described by words like `fps=200,n=500,size=512`.

    Words: fps (100), n (500), size (512 or 512x256), dtype, jitter, seed, name. Raises SourceError.
    """
    if argument and ("=" not in argument or os.path.isfile(argument)):  # Path's raises for a text of any length
        return _read(Path(argument).expanduser())
    return _from_words(argument)


def _from_words(text: str) -> ScriptedCamera:
    words: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        key, _, value = part.partition("=")
        try:
            words[key] = WORDS[key](value)
        except (KeyError, ValueError):
            raise SourceError(
                f"found {part!r} for a scripted camera, expected a YAML file or words like fps=200,n=500,size=512 "
                f"({', '.join(WORDS)})"
            ) from None
    sides = words.pop("size", "512").split("x")
    if not all(side.isdecimal() and len(side) < 9 for side in sides) or len(sides) > 2:
        raise SourceError(
            f"found size={'x'.join(sides)[:40]} for a scripted camera, expected pixels, like 512 or 512x256"
        )
    step = Steady(words.pop("n", 500), words.pop("fps", 100.0), words.pop("jitter", 0.0))
    return camera([step], shape=(int(sides[0]), int(sides[-1])), **words)


def _read(path: Path) -> ScriptedCamera | ScriptedCameras:
    file = read_checked(path, FileModel, "script", SourceError)
    made = []
    for name, each in file.model.cameras.items():
        if (length := len(each.steps) * each.repeat) > MOST_STEPS:  # before a list of that length is made
            raise SourceError(
                f"{file.place('cameras', name, 'repeat')}: found {len(each.steps)} steps to be played {each.repeat} "
                f"times, which are {length}, expected at most {MOST_STEPS}: repeat fewer"
            )
        steps = [_step(step, file.place("cameras", name, "steps", number)) for number, step in enumerate(each.steps)]
        try:
            settings = each.model_dump(exclude={"steps", "repeat"})
            made.append(camera(steps * each.repeat, name=name, **settings))
        except OnscopeError as error:
            raise SourceError(f"{file.place('cameras', name)}: {error}") from error
    try:
        return made[0] if len(made) == 1 else cameras(made)
    except OnscopeError as error:
        raise SourceError(f"{file.place('cameras')}: {error}") from error


def _step(step: Any, place: str) -> Step:
    name, value = next(iter(step.items())) if isinstance(step, dict) and len(step) == 1 else ("", None)
    if name not in STEPS:
        raise SourceError(f"{place}: found no step, expected one of {', '.join(STEPS)}, like `burst: 50`")
    kind = STEPS[name]
    known = [field.name for field in fields(kind)]
    given = {} if value is None else value if isinstance(value, dict) else dict(zip(known[:1], [value], strict=False))
    if value is not None and not known:
        raise SourceError(f"{place}: found a value for {name}, expected none: write `{name}:`")
    if unknown := [key for key in given if key not in known]:
        raise SourceError(f"{place}: found {unknown[0]!r} in {name}, expected {', '.join(known) or 'nothing'}")
    try:
        return _adapter(name).validate_python(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        raise SourceError(f"{place}: {'.'.join(map(str, (name, *first['loc'])))}: {first['msg']}") from error
    except SourceError as error:
        raise SourceError(f"{place}: {error}") from error


@cache
def _adapter(name: str) -> TypeAdapter[Step]:
    return TypeAdapter(STEPS[name])

"""What a snapshot says of itself: whose picture it is, and what made it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from importlib.metadata import version
from types import MappingProxyType
from typing import Any

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a run beside its updates: `packages` by stage (name, sha256), `providers` by stage, and the
    `parameters` that the stages' processing used for the frame, by stage and name."""

    packages: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: NOTHING)
    providers: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    parameters: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: NOTHING)
    pixel_size_um: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values by the names of its fields."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}


def words_of(
    head: Mapping[str, Any], about: About, colours: Mapping[int, str], gamma: Mapping[int, float]
) -> dict[str, str]:
    """The text chunks of a snapshot by keyword: `onscope` is all of it as JSON, the others are for people."""
    made = datetime.now(UTC).isoformat(timespec="milliseconds")
    told: dict[str, Any] = {
        "schema": 1,
        "onscope": version("onscope"),
        "made": made,
        "frame": head["frame"],
        **about.as_json(),
        "views": [_view(view, colours, gamma) for view in head["views"]],
        "vectors": [f"{each['kind']}:{each['table']}" for each in head.get("vectors", ())],
        "trust": head.get("trust", {}),
        "suspect": head.get("suspect", {}),
    }
    return {
        "Software": f"onscope {told['onscope']}",
        "Creation Time": made,
        "Description": f"frame {name_of(head['frame'])}: {', '.join(view['image'] for view in head['views'])}",
        "onscope": json.dumps(told, ensure_ascii=False),
    }


def name_of(frame: Mapping[str, Any]) -> str:
    """A frame in one word, as FrameId says it."""
    return f"{frame['run']}/{frame['camera']}/{frame['segment']}/{frame['seq']}"


def _view(view: Mapping[str, Any], colours: Mapping[int, str], gamma: Mapping[int, float]) -> dict[str, Any]:
    return {
        "image": view["image"],
        "rect": list(view["rect"]),
        "contrast": [view.get("low"), view.get("high")],
        "colours": colours.get(view["id"], "grey"),
        "gamma": gamma.get(view["id"], 1.0),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    return value

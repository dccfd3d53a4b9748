"""What a rule asks for as it is written: `- burst: {frames: 60, interval_ms: 500}`, by the kinds' own fields."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from .. import _actions, _wishes
from .._actions import KINDS
from .._wishes import WISHES, Asked
from ._test_model import Finite, Text

NAMED = r"^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_.-]+)?$"
Named = Annotated[str, Field(pattern=NAMED, max_length=128)]
"""The name of a value that is taken when the rule fires: a number (`frame.p99`) or a column of the object."""
Words = Annotated[str, Field(max_length=1000)]
Places = Annotated[list[tuple[Finite, Finite]], Field(min_length=1, max_length=10_000)]
Whole = Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
_FIELDS: Mapping[Any, Any] = {
    float: Finite | Named,
    float | None: Finite | Named | None,
    int: Whole,
    str: Words,
    str | None: Text | None,
    bool: bool,
    tuple[tuple[float, float], ...]: Places,
}
ASKED: Mapping[str, type[Asked]] = {**{kind: one for kind, one in KINDS.items() if kind != "project"}, **WISHES}
"""What a rule file can ask for. A mask has no place in a text: `illuminate` makes it of objects."""


def _model(kind: str, asked: type[Asked]) -> type[BaseModel]:
    hints = get_type_hints(asked, vars(_actions if kind in KINDS else _wishes))
    told: dict[str, Any] = {}
    for each in dataclasses.fields(asked):
        default = ... if each.default is dataclasses.MISSING else each.default
        told[each.name] = (_FIELDS[hints[each.name]], default)
    name = "".join(part.capitalize() for part in kind.split("_")) + "Model"
    words = " ".join((asked.__doc__ or "").split("\n\n")[0].split())
    return create_model(name, __config__=ConfigDict(extra="forbid", frozen=True), __doc__=words, **told)


MODELS: Mapping[str, type[BaseModel]] = {kind: _model(kind, asked) for kind, asked in ASKED.items()}


class One(BaseModel):
    """One action or wish, by the word of its kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, written: Any) -> Any:
        """A kind alone, or one without fields (`resume:`), has those that are usual."""
        written = {written: {}} if isinstance(written, str) else written
        if isinstance(written, dict):
            strange = [str(kind) for kind in written if kind not in ASKED]
            if strange:
                raise ValueError(f"found {', '.join(strange)}, expected one of {', '.join(ASKED)}")
            return {kind: {} if told is None else told for kind, told in written.items()}
        return written

    @model_validator(mode="after")
    def _fits(self) -> One:
        if len(self.model_fields_set) != 1:
            told = ", ".join(sorted(self.model_fields_set)) or "none"
            raise ValueError(f"found {told}, expected one kind for each entry of the list: - burst: {{frames: 60}}")
        return self

    @property
    def kind(self) -> str:
        """The word of its kind."""
        return next(iter(self.model_fields_set))

    @property
    def told(self) -> dict[str, Any]:
        """Its fields."""
        values: dict[str, Any] = getattr(self, self.kind).model_dump()
        return values


_KINDS: dict[str, Any] = {kind: (model | None, Field(None)) for kind, model in MODELS.items()}
ThenModel: type[One] = create_model("ThenModel", __base__=One, __doc__=One.__doc__, **_KINDS)

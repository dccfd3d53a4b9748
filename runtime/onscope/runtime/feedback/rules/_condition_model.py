"""Conditions as they are written: `{class: metaphase, score: {above: 0.8}, in_frames: 2 of 3}`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from ._strict import Strict
from ._test_model import TestModel, Text
from ._texts import FrequencyText, frequency

StageName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$")]
Lost = Literal["not met", "left out", "start again"]
DEEPEST = 8


class CountModel(TestModel):
    """How many rows a stage's table has, or what part of them, of those that meet a condition."""

    of: StageName = Field(description="the stage")
    where: ConditionModel | None = Field(None, description="which rows; left out: all")


class SummaryModel(CountModel):
    """One number of a column: of all rows, or of those that meet a condition."""

    column: Text = Field(description="the column, of this stage or of another one on the same objects: STAGE.COLUMN")


class TotalModel(TestModel):
    """How many there were since the start, at all positions together."""

    of: StageName = Field(description="the stage that tracks")


Conditions = Annotated[list["ConditionModel"], Field(min_length=1, max_length=64)]


class ConditionModel(Strict):
    """All that is named here must hold. Other keys are columns (`area`, `phase.score`) or numbers (`frame.mean`)."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, TestModel]
    all: Conditions | None = Field(None, description="all of these hold")
    any: Conditions | None = Field(None, description="at least one of these holds")
    not_: ConditionModel | None = Field(None, alias="not", description="this does not hold")
    inside: Text | list[Text] | None = Field(None, description="the object lies in this region, or in one of these")
    outside: Text | list[Text] | None = Field(None, description="the object lies in none of these regions")
    count: CountModel | None = Field(None, description="how many rows there are")
    share: CountModel | None = Field(None, description="what part of the rows that is, 0 to 1")
    mean: SummaryModel | None = Field(None, description="the mean of a column")
    median: SummaryModel | None = Field(None, description="its median")
    highest: SummaryModel | None = Field(None, description="its largest value")
    lowest: SummaryModel | None = Field(None, description="its smallest value")
    sum: SummaryModel | None = Field(None, description="its sum")
    divisions: TotalModel | None = Field(None, description="tracks that divided since the start")
    new_tracks: TotalModel | None = Field(None, description="tracks that began since the start, daughters among them")
    lost_tracks: TotalModel | None = Field(None, description="tracks that were lost since the start")
    in_frames: FrequencyText | None = Field(None, description="all of this held in so many of the last frames: 2 of 3")
    lost_frames: Lost = Field(
        "not met", description="a lost frame is one in which it did not hold, is left out, or starts the count again"
    )

    @property
    def values(self) -> dict[str, TestModel]:
        """Tests of columns and numbers, by their names."""
        return dict(self.__pydantic_extra__ or {})

    @model_validator(mode="after")
    def _fits(self) -> ConditionModel:
        if not (self.model_fields_set - {"in_frames", "lost_frames"} or self.values):
            raise ValueError("found no condition, expected a column, a number, or one of all, any, not, count, inside")
        if self.in_frames is not None:
            frequency(self.in_frames)
        elif "lost_frames" in self.model_fields_set:
            raise ValueError("found lost_frames without in_frames, expected both: in_frames: 2 of 3")
        if depth(self) > DEEPEST:
            raise ValueError(f"found conditions within conditions more than {DEEPEST} deep: write them side by side")
        return self


def depth(condition: ConditionModel) -> int:
    """How deep conditions stand in conditions."""
    inner = [*(condition.all or ()), *(condition.any or ())]
    inner += [] if condition.not_ is None else [condition.not_]
    inner += [told.where for told in counted(condition).values() if told.where is not None]
    return 1 + max(map(depth, inner), default=0)


SUMMARIES = ("mean", "median", "highest", "lowest", "sum")
TOTALS = ("divisions", "new_tracks", "lost_tracks")


def counted(condition: ConditionModel) -> dict[str, CountModel]:
    """What is made of all rows of a stage, by its word."""
    told = {word: getattr(condition, word) for word in ("count", "share", *SUMMARIES)}
    return {word: one for word, one in told.items() if one is not None}


for _model in (CountModel, SummaryModel, ConditionModel):
    _model.model_rebuild()

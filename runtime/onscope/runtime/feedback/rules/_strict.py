"""What all models of rule files have in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, model_validator


class Strict(BaseModel):
    """Nothing that is not known, and no key with nothing behind it: a line that was not finished is no default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="after")
    def _nothing_is_empty(self) -> Strict:
        fields = type(self).model_fields
        empty = sorted(
            fields[name].alias or name
            for name in self.model_fields_set
            if name in fields and getattr(self, name) is None
        )
        if empty:
            raise ValueError(f"found nothing behind {', '.join(empty)}, expected a value: write it, or remove the line")
        return self

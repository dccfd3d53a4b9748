"""The JSON schema of rule files that is published is the one that is checked."""

from __future__ import annotations

import json
from pathlib import Path

from onscope.runtime.feedback.rules._models import RulesModel

PUBLISHED = Path(__file__).resolve().parents[3] / "docs" / "schema" / "rules-1.json"


def test_the_published_schema_is_up_to_date() -> None:
    made = json.dumps(RulesModel.model_json_schema(by_alias=True), indent=2) + "\n"
    assert PUBLISHED.read_text() == made, "the model changed: publish its schema again"

"""The JSON schema of pipeline files that is published is the one that is checked."""

from __future__ import annotations

import json
from pathlib import Path

from onscope.runtime._pipeline_file import PipelineModel

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "schema" / "pipeline-1.json"


def test_the_published_schema_is_up_to_date() -> None:
    made = json.dumps(PipelineModel.model_json_schema(by_alias=True), indent=2) + "\n"
    assert PUBLISHED.read_text() == made, "the model changed: publish its schema again"

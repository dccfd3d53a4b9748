"""Every example of the docs runs as it stands there, and the README shows the same lines."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from onscope.runtime._pipeline_file import PipelineModel
from onscope.runtime.graph.calibration._calibration_file import CalibrationModel

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "docs" / "examples"


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_example_runs(name: str) -> None:
    done = subprocess.run(
        [sys.executable, name, "10"], cwd=EXAMPLES, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    counts = eval_counts(done.stdout.splitlines()[-1])
    assert counts["done"] > 0
    assert counts["failed"] == counts["open"] == 0
    assert sum(counts.values()) == 10


def eval_counts(line: str) -> dict[str, int]:
    return {name: int(count) for name, count in re.findall(r"'(\w+)': (\d+)", line)}


def test_the_readme_shows_the_live_example() -> None:
    readme = (ROOT / "README.md").read_text()
    shown = readme.split("```python\n")[1].split("```")[0]
    example = (EXAMPLES / "live.py").read_text()
    for line in shown.splitlines():
        code = line.strip().replace("n=500", "n=frames").replace("result.latency_ms)", 'f"{result.latency_ms:.1f} ms")')
        assert code in example, line


def test_the_readme_shows_the_example_pipeline() -> None:
    readme = (ROOT / "README.md").read_text()
    shown = readme.split("```yaml\n")[1].split("```")[0]
    example = [line for line in (EXAMPLES / "pipeline.yaml").read_text().splitlines() if not line.startswith("#")]
    assert [line.split() for line in shown.strip().splitlines()] == [line.split() for line in example]


@pytest.mark.parametrize(("number", "model"), [(0, PipelineModel), (1, PipelineModel), (2, CalibrationModel)])
def test_the_yaml_of_the_readme_is_what_is_checked(number: int, model: type[BaseModel]) -> None:
    shown = (ROOT / "README.md").read_text().split("```yaml\n")[number + 1].split("```")[0]
    model.model_validate(YAML(typ="safe", pure=True).load(shown))


def test_links_of_the_documentation_lead_somewhere() -> None:
    broken = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert not broken

"""Every example of the docs runs as it stands there, and the README shows the same lines."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from pydantic import BaseModel
from ruamel.yaml import YAML

from onscope.runtime._pipeline_file import PipelineModel
from onscope.runtime.graph.calibration._calibration_file import CalibrationModel
from tests.graph.generated import Recipe, write

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "docs" / "examples"

STEERED = {"fast_on_mitosis.py"}
"""Examples whose feedback takes more frames than they were asked for."""


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_example_runs(name: str) -> None:
    done = subprocess.run(
        [sys.executable, name, "10"], cwd=EXAMPLES, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    counts = eval_counts(done.stdout.splitlines()[-1])
    assert counts["done"] > 0
    assert counts["failed"] == counts["open"] == 0
    if name in STEERED:
        assert sum(counts.values()) >= 10
        acted = eval_counts(next(line for line in done.stdout.splitlines() if "'refused'" in line))
        assert acted["done"] + acted["refused"] >= 1  # on a slow machine, frames are too old to act upon
    else:
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


def test_the_readme_s_packages_run_as_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A .zip and a folder with a pixel size, by the pipeline and the calibration that are shown."""
    from onscope.cli import main

    ranged = Recipe(described="uint16", pre=(("scale_range", {"axes": ["y", "x"], "max_percentile": 99.8}),))
    denoiser = write(tmp_path / "my-denoiser", ranged)
    with zipfile.ZipFile(tmp_path / "my-denoiser.zip", "w") as archive:
        for path in denoiser.iterdir():
            archive.write(path, path.name)
    segmenter = write(tmp_path / "my-segmenter", Recipe(pre=(("zero_mean_unit_variance", {}),)))
    yaml = YAML(typ="safe", pure=True)
    described = yaml.load((segmenter / "rdf.yaml").read_text())
    for axis in (*described["inputs"][0]["axes"][2:], *described["outputs"][0]["axes"][2:]):
        axis |= {"unit": "micrometer", "scale": 0.1}
    with (segmenter / "rdf.yaml").open("w") as file:
        yaml.dump(described, file)
    shown = (ROOT / "README.md").read_text().split("```yaml\n")
    (tmp_path / "pipeline.yaml").write_text(shown[2].split("```")[0])
    (tmp_path / "calibration.yaml").write_text(shown[3].split("```")[0])
    monkeypatch.chdir(tmp_path)
    words = ["compile", "pipeline.yaml", "--size", "64x64", "--pixel-size-um", "0.16", "--force", "--report"]
    with pytest.raises(SystemExit) as end:
        main(words)
    said = capsys.readouterr()
    assert not end.value.code, said.err
    out = " ".join(said.out.split())
    assert "64x64 uint16, windows of 3 time points: " in out
    for word in ("calibrated", "rescaled", "scale_range (percentiles of the raw frame from the host, frozen"):
        assert word in out

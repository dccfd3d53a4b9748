"""What the documentation of rules shows is what is checked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from onscope.runtime.feedback import Burst, Recentre
from onscope.runtime.feedback.rules import RuleBook

from .worlds import seen

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = [path for path in (DOCS / "feedback-rules.md", DOCS / "feedback.md") if path.exists()]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


@pytest.mark.parametrize(("name", "rule"), [("mitosis", "metaphase"), ("follow", "follow"), ("stimulate", "stimulate")])
def test_the_shown_rules_are_those_of_the_files(name: str, rule: str) -> None:
    written = (DOCS / "examples" / "rules" / f"{name}.yaml").read_text(encoding="utf-8")
    lines = {line.split("#")[0].strip() for line in written.splitlines()}
    shown = next(block for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.S) if f"  {rule}:\n" in block)
    for line in shown.splitlines():
        assert line.split("#")[0].strip() in lines, line


def test_the_shown_python_rules_run(tmp_path: Path) -> None:
    shown = next(block for block in re.findall(r"```python\n(.*?)```", TEXT, re.S) if "@rule" in block)
    path = tmp_path / "shown.py"
    path.write_text(shown, encoding="utf-8")
    book = RuleBook.load(path)
    proposals = book.propose(seen(0, [{"track": 4}], numbers={"frame.p99": 5000.0}))
    assert [each.asked for each in proposals] == [Burst(60, 500), Recentre()]
    assert proposals[0].because == "Something bright came into view."
    assert book.failures == []

"""What was measured, as tables in Markdown."""

from __future__ import annotations

from ._card import Card
from ._score import Score


def quality_table(card: Card) -> str:
    """The scores with mean and spread over the held-out seeds, and a sentence for each that no network wins."""
    lines = ["| samples | metric | network | beside it | ahead of the best | seeds |", "|---|---|---|---|---|---|"]
    for score in card.scores:
        others = "; ".join(f"{name}: {score.told(name)}" for name in score.baselines) or "-"
        lines.append(
            f"| {score.samples} | {score.metric} | {score.told()} | {others} | {score.gain} | {len(score.network)} |"
        )
    lost = [score for score in card.scores if score.beats is False]
    return "\n".join(lines) + "".join(f"\n\n{_sentence(score)}" for score in lost)


def _sentence(score: Score) -> str:
    return (
        f"**The network does not beat its baseline** on {score.samples}: {score.metric} {score.told()}, "
        f"{score.best} {score.told(score.best)}."
    )

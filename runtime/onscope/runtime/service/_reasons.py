"""Reasons of the ledger as labels: few, however many different sentences there are."""

from __future__ import annotations

import re

FAILURES = frozenset({"", "does not fit the prepared frames", "interrupted", "not recorded"})
_WORDS = re.compile(r"[a-z' -]{0,40}")


def label_of(state: str, reason: str) -> str:
    """The reason where it is one of the runtime's own few words; "worker died", or "other", for sentences."""
    if reason in FAILURES or (state != "failed" and _WORDS.fullmatch(reason)):
        return reason
    return "worker died" if reason.startswith("the worker died") else "other"


def parted(named: str) -> tuple[str, str]:
    """State and reason of what `Ledger.reasons` names: "skipped(queue)"."""
    state, _, reason = named.partition("(")
    return state, reason.removesuffix(")")

"""The rules' process: results come on standard input, proposals leave on what was standard output.

Whatever a user's rule does here - hang, die, fill the memory, print - cannot hold the gate or the microscope.
"""

from __future__ import annotations

from typing import Any

from ..._clock import now_ns
from ..._errors import OnscopeError
from ..._frame import FrameId
from ...worker import LIMIT, Link, parent_link
from ._source import RulesSource
from ._wire import MOST_PROPOSALS, proposal_message, seen_from, too_many

LONGEST_WORDS = 2_000


def serve(link: Link) -> None:
    """Answer results with proposals until the acquisition process closes the link."""
    opening = link.receive()
    if opening is None:
        return
    try:
        rules = RulesSource.from_message(opening).book()
    except OnscopeError as error:
        link.send({"kind": "refused", "message": str(error)})
        return
    except Exception as error:  # a user's file may raise anything while it is imported
        link.send({"kind": "refused", "message": f"{opening['path']} cannot be imported: {error!r}"})
        return
    link.send({"kind": "ready", "name": rules.name, "numbers": sorted(rules.needs.numbers)})
    while (message := link.receive()) is not None:
        if message["kind"] == "tune":
            rules.tune(message["rule"], message["name"], message["value"])
            continue
        for rule, frame, track in message["refused"]:
            rules.refused(rule, FrameId(*frame), track)
        seen = seen_from(message)
        proposals = rules.propose(seen)
        failures = [str(each)[:LONGEST_WORDS] for each in rules.failures][:20]
        if len(proposals) > MOST_PROPOSALS:
            failures.append(too_many(len(proposals)))
        told = _fitting([proposal_message(each) for each in proposals[:MOST_PROPOSALS]], failures)
        link.send({"kind": "proposals", "number": seen.number, "at_ns": now_ns(), "told": told, "failures": failures})


def _fitting(told: list[dict[str, Any]], failures: list[str]) -> list[dict[str, Any]]:
    """Those proposals that fit into a message; masks are large."""
    room, kept = LIMIT // 2, []
    for each in told:
        mask = each["asked"].get("mask")
        room -= 4_096 + (len(mask["data"]) if isinstance(mask, dict) else 0)
        if room < 0:
            failures.append("found a mask that is too large for a message, expected a smaller one: use illuminate")
            break
        kept.append(each)
    return kept


if __name__ == "__main__":
    serve(parent_link())

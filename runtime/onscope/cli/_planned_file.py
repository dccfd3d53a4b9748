"""A plan as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onscope.runtime import PipelineError
from onscope.runtime.capacity import Checked, Chosen, Fate, Option, Outcome, Wanted

if TYPE_CHECKING:
    from ._planned_costs import Known
    from ._planned_words import Kind


def as_json(
    kinds: Sequence[Kind], known: Known, wanted: Wanted, chosen: Chosen, checks: Sequence[Checked]
) -> dict[str, Any]:
    """All that was asked, known, simulated and measured, as plain values; what there is not is null."""
    told = {
        "schema": 1,
        "asked": asdict(wanted),
        "cameras": [asdict(kind) | {"admission": kind.admission.described()} for kind in kinds],
        "costs": {name: cost.told() for name, cost in known.costs.items()},
        "bytes": {name: asdict(sizes) for name, sizes in known.sizes.items()},
        "pc": asdict(known.pc),
        "notes": list(known.notes),
        "needs": asdict(chosen.needs),
        "enough": chosen.enough,
        "limit": chosen.limit,
        "simulated_s": chosen.seconds,
        "chosen": _option(chosen.best),
        "over": chosen.axis,
        "curve": [_option(each) for each in chosen.curve],
        "policies": {name: _outcome(each) for name, each in chosen.policies.items()},
        "checks": [
            {
                "what": each.what,
                "load": each.load,
                "predicted": _fate(each.predicted),
                "measured": _fate(each.measured),
                "ratios": each.ratios,
            }
            for each in checks
        ],
    }
    plain: dict[str, Any] = _finite(told)
    return plain


def _option(option: Option) -> dict[str, Any]:
    told = {"microscopes": option.scopes, "servers": option.servers, "gpus": option.gpus, "batch": option.batch}
    return told | _outcome(option.outcome)


def _outcome(outcome: Outcome) -> dict[str, Any]:
    told = {"all": _fate(outcome.whole), "priorities": {str(n): _fate(each) for n, each in outcome.priorities.items()}}
    told["scopes"] = {name: _fate(each) for name, each in outcome.scopes.items()}
    busy = {"servers": outcome.servers, "up": outcome.links_up, "down": outcome.links_down, "pc": outcome.workers}
    return told | {"busy": busy, "batches": {str(size): n for size, n in outcome.batches.items()}}


def _fate(fate: Fate) -> dict[str, Any]:
    return asdict(fate) | {"run": fate.ran, "skipped": fate.skipped, "lost": fate.lost}


def _finite(value: Any) -> Any:
    """JSON knows no NaN."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write(path: Path, told: dict[str, Any]) -> None:
    """Raises PipelineError where it cannot be written."""
    try:
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise PipelineError(f"cannot write {path}: {error.strerror}") from error

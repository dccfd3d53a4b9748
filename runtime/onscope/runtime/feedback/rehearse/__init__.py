"""Rehearsal: the same rules, aim and gate as live, on a specimen or a recording, faster than real time."""

from ._answers import Answers, result_of
from ._networks import NetworkAnswers
from ._oracle import Detector, TruthAnswers
from ._pass import LATENCY_S, Deed, Pass, run_pass
from ._picture import trade_off
from ._recorded import RecordedAnswers, RecordedMicroscope
from ._rehearse import Plan, rehearse
from ._report import Report, report_of
from ._score import DIVISION, RuleScore, scores
from ._stage import Rehearsal, Shot
from ._sweep import Sweep, parse_sweep, versions
from ._truth import TRUE, Span, SpanBuilder, Story, TrueFrame, joined
from ._usual import usual_pipeline

__all__ = [
    "DIVISION",
    "LATENCY_S",
    "TRUE",
    "Answers",
    "Deed",
    "Detector",
    "NetworkAnswers",
    "Pass",
    "Plan",
    "RecordedAnswers",
    "RecordedMicroscope",
    "Rehearsal",
    "Report",
    "RuleScore",
    "Shot",
    "Span",
    "SpanBuilder",
    "Story",
    "Sweep",
    "TrueFrame",
    "TruthAnswers",
    "joined",
    "parse_sweep",
    "rehearse",
    "report_of",
    "result_of",
    "run_pass",
    "scores",
    "trade_off",
    "usual_pipeline",
    "versions",
]

"""Rules: what a biologist writes, in YAML or as Python functions, and what they ask for, result by result."""

from ._book import Rule, RuleBook
from ._needs import EVERYTHING, Needs
from ._python import rule
from ._seen import seen_of
from ._tune import TunableRule

__all__ = ["EVERYTHING", "Needs", "Rule", "RuleBook", "TunableRule", "rule", "seen_of"]

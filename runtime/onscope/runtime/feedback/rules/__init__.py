"""Rules: what a biologist writes, in YAML or as Python functions, and what they ask for, result by result."""

from ._book import Rule, RuleBook
from ._needs import EVERYTHING, Needs
from ._python import rule
from ._seen import seen_of

__all__ = ["EVERYTHING", "Needs", "Rule", "RuleBook", "rule", "seen_of"]

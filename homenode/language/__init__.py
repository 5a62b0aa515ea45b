"""The rule language: text in, typed conditions out. Nothing here runs a rule (`homenode.engine` does)."""

from homenode.language.bound import BoundRule, BoundStep
from homenode.language.checking import check_rules
from homenode.language.reader import read_rule, try_rule

__all__ = ["BoundRule", "BoundStep", "check_rules", "read_rule", "try_rule"]

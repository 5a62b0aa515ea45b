"""Traces of a rule, told as cases that a person reads: what happens in the home, what the rule then does."""

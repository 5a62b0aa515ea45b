"""`homenode rules check|explain|test`: its command line, and what it calls."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from homenode.config.rows import LANGUAGES


def run(args: argparse.Namespace) -> int:
    """The one of them that was named."""
    if args.what == "test":
        from homenode.cases.command import command

        return command(args.rules, Path(args.home).parent if args.home else Path(), sys.stdout)
    from homenode.rule_tools import check_rules, explain

    if args.what == "check":
        return check_rules(args.files, sys.stdout)
    return explain(args.names, args.home, args.language, sys.stdout)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What follows ``homenode rules``."""
    what = parser.add_subparsers(dest="what", required=True, metavar="check|explain|test")
    text = "What is wrong with the rules of a home, or with rule files standing alone."
    checked = what.add_parser("check", help=text, description=text)
    checked.add_argument(
        "files", nargs="*", metavar="FILE", help="HOME.yaml or RULE.yaml (default: home.yaml here)"
    )
    text = "What a rule does, in plain words, with a home's sensors and numbers."
    explained = what.add_parser("explain", help=text, description=text)
    explained.set_defaults(takes="names")
    explained.add_argument(
        "names", nargs="+", metavar="RULE", help="its name in the home, that of a shipped rule, or a file"
    )
    explained.add_argument("--home", metavar="HOME.yaml", help="default: home.yaml here, if there is one")
    explained.add_argument("--language", choices=LANGUAGES, help="default: the home's, else en")
    text = "Run the cases of rules, rules/traces/NAME.yaml: do they do as told?"
    test = what.add_parser("test", help=text, description=text)
    test.set_defaults(takes="rules")
    test.add_argument(
        "rules", nargs="*", metavar="RULE", help="its name or file; without any, all that the home may use"
    )
    test.add_argument("--home", metavar="HOME.yaml", help="looks into rules/ beside it first (default: here)")

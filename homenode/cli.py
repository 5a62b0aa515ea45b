"""The `homenode` command. Each subcommand imports what it needs only when it is used."""

from __future__ import annotations

import argparse
import gc
import io
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from homenode import __version__
from homenode.config.model import PARTIES
from homenode.config.rows import LANGUAGES
from homenode.ended import status_of

Command = Callable[[argparse.Namespace], int]


def _run_of(module: str) -> Command:
    """`run` of a module that is imported when the command is called."""

    def command(args: argparse.Namespace) -> int:
        from importlib import import_module

        return int(import_module(module).run(args))

    return command


def _data(args: argparse.Namespace) -> Path:
    """The folder that the node runs on: --data, else homenode-data beside home.yaml or here."""
    if args.data is not None:
        return Path(args.data)
    home = getattr(args, "home", None)
    return (Path(home).parent if home else Path()) / "homenode-data"


def _run(args: argparse.Namespace) -> int:
    gc.disable()  # what a start imports and makes stays: looking through it again and again costs a tenth
    from homenode.gateway.run import run

    return run(args, _data(args))


def _check(args: argparse.Namespace) -> int:
    from homenode.config.check import check

    return check(args.home, sys.stdout)


def _schema(args: argparse.Namespace) -> int:
    from homenode.config.schema import print_schema
    from homenode.contract.document import print_contract

    printing = print_schema if args.what in ("home", "rule") else print_contract
    return printing(args.what, sys.stdout)


def _replay(args: argparse.Namespace) -> int:
    from homenode.replay import replay

    if not args.journal and args.readings is None:
        args.wrong("name the recording, READINGS.jsonl, or give --journal")
    journal = None
    if args.journal:  # with it, the name of a recording is the folder that the journal is in
        journal = Path(args.readings) if args.readings is not None and args.data is None else _data(args)
    return replay(
        args.home,
        args.readings or "",
        sys.stdout,
        sys.stderr,
        as_json=args.json,
        against=args.against,
        journal=journal,
    )


def _open(args: argparse.Namespace) -> int:
    from homenode.sealing.command import command

    return command(args.key, sys.stdin, sys.stdout, sys.stderr)


def _import(args: argparse.Namespace) -> int:
    from homenode.importing.command import command

    return command(args, sys.stdout, sys.stderr)


def _tune(args: argparse.Namespace) -> int:
    from homenode.tune.command import tune

    readings, *names = ("", *args.words) if args.journal else args.words
    if not names:
        args.wrong("name READINGS.jsonl (or give --journal), and the RULE")
    given: dict[str, list[str]] = {}
    for text in args.set:
        name, equals, values = text.partition("=")
        if not equals or not all(value.strip() for value in values.split(",")):
            args.wrong(f"--set {text}: write --set NAME=VALUE,VALUE")
        given.setdefault(name.strip(), []).extend(value.strip() for value in values.split(","))
    if not 2 < args.steps <= 100:
        args.wrong("--steps: from 3 to 100")
    return tune(
        args.home,
        readings,
        names[0],
        sys.stdout,
        sys.stderr,
        parameters=names[1:],
        given=given,
        steps=args.steps,
        svg=args.svg,
        png=args.png,
        journal=_data(args) if args.journal else None,
    )


def _ask(args: argparse.Namespace) -> int:
    from homenode.gateway import ask

    return ask.COMMANDS[args.command](args, _data(args))


def _install(args: argparse.Namespace) -> int:
    from homenode.install.command import run

    return run(args, _data(args))


def _replace(args: argparse.Namespace) -> int:
    from homenode.install.command import replace

    return replace(args, _data(args))


def _radio(args: argparse.Namespace) -> int:
    from homenode.radio_commands import run

    return run(args, _data(args))


def _panel(args: argparse.Namespace) -> int:
    from homenode.panel.run import run

    return run(args, _data(args))


def _update(args: argparse.Namespace) -> int:
    from homenode.update.run import run

    return run(args, _data(args))


def _video(args: argparse.Namespace) -> int:
    from homenode.look_commands import run

    return run(args, _data(args))


def _wiring(args: argparse.Namespace) -> int:
    from homenode.wiring.command import command

    return command(args, sys.stdout)


def _journal(args: argparse.Namespace) -> int:
    if args.what == "erase":
        from homenode.config.registry import driver_types
        from homenode.gateway.clock import Clock
        from homenode.journal.erase import erase

        forgets = [kind.forget for kind in driver_types().values()]
        return erase(_data(args), forgets, Clock().wall(), sure=args.yes, out=sys.stdout)
    from homenode.journal.__main__ import command

    return command(args.what, _data(args), sys.stdout, sys.stderr)


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="homenode", description="A home node: sensors, local rules, alerts."
    )
    parser.add_argument("--version", action="version", version=f"homenode {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(
        name: str, command: Command, text: str, *, home: bool = False, data: bool = False
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(call=command, wrong=sub.error)
        if home:
            sub.add_argument("home", metavar="HOME.yaml", help="the file that describes the home")
        if data:
            sub.add_argument(
                "--data",
                metavar="DIR",
                help="the node's folder (default: homenode-data beside home.yaml, or here)",
            )
        return sub

    run = add("run", _run, "Run the node of a home.", home=True, data=True)
    run.add_argument(
        "--speed", type=float, default=1.0, metavar="N", help="run the node's clock N times as fast (demo)"
    )
    run.add_argument(
        "--start", metavar="TIME", help="what the node's clock shows at first, such as 2026-01-05T07:00"
    )
    run.add_argument(
        "--anchor", type=float, metavar="UNIX_S", help="real time at which the clock shows --start"
    )
    run.add_argument("--log", choices=("text", "json"), default="text")
    run.add_argument("--verbose", action="store_true", help="log more")

    add("check", _check, "Check home.yaml and its rules; tells all mistakes in one go.", home=True)
    add("wiring", _wiring, "What a technician wires this flat from: plan, drawing, parts, power.", home=True)
    text = "Check rules, tell in plain words what one does, or run its cases."
    add("rules", _run_of("homenode.rule_commands"), text)
    add("schema", _schema, "Print the JSON Schema of a file or a message, or the AsyncAPI document.")
    replay = add("replay", _replay, "Run the rules of a home over recorded readings.", home=True, data=True)
    replay.add_argument(
        "readings", nargs="?", metavar="READINGS.jsonl", help="recording; .gz and - (standard input) work"
    )
    replay.add_argument("--json", action="store_true", help="one line a transition")
    replay.add_argument("--against", metavar="OTHER.yaml", help="what another home.yaml would make different")
    replay.add_argument(
        "--journal", action="store_true", help="replay what the node heard itself, from its journal"
    )
    replay.set_defaults(takes="readings")

    opened = add("open", _open, "Open messages to a party with a key: from standard input, one a line.")
    opened.add_argument(
        "--key", required=True, type=Path, metavar="FILE", help="the party's private key, in PEM"
    )

    add("import", _import, "Turn recordings of others into readings that replay takes.")
    add("tune", _tune, "Show what other settings of a rule would have done.", home=True, data=True)

    status = add("status", _ask, "What the running node knows: points, alerts, link, outbox.", data=True)
    status.add_argument("--json", action="store_true")
    status.add_argument(
        "--prometheus", metavar="FILE", type=Path, help="write the node's health for node_exporter instead"
    )
    add("watch", _ask, "Follow readings and alerts of the running node, until interrupted.", data=True)
    add("devices", _ask, "Devices the radios know, assigned or not.", data=True)
    add("reload", _ask, "Have the running node read its home.yaml again.", data=True)
    pair = add("pair", _ask, "Let new devices join the running node.", data=True)
    pair.add_argument(
        "--for", dest="span", default="2min", metavar="DURATION", help="how long (default 2min)"
    )
    pair.add_argument("--radio", default="", help="which radio, if there are several")
    pair.add_argument(
        "--install-code", default="", metavar="CODE", help="printed on a device: only that one may join"
    )
    pair.add_argument("--ieee", default="", metavar="ADDRESS", help="of the device with the install code")
    text = "Pair sensors and test a flat, step by step, on a terminal or a phone."
    add("install", _install, text, data=True)
    replaced = add("replace", _replace, "Put new hardware in the place of a dead device.", data=True)
    replaced.add_argument("device", help="its name in home.yaml")
    ack = add("ack", _ask, "Acknowledge an open alert for a party, at the node.", data=True)
    ack.add_argument("alert", help="its id or its rule's name")
    ack.add_argument(
        "--as", dest="party", choices=PARTIES, default="care", help="for which party (default care)"
    )
    mode = add("mode", _ask, "Set the mode of the home.", data=True)
    mode.add_argument("mode", help="such as home, away, hospital or visit, or one of home.yaml")
    switch = add("switch", _ask, "Turn an output on or off.", data=True)
    switch.add_argument("point", help="such as hall_lamp.light")
    switch.add_argument("to", choices=("on", "off", "open", "closed", "locked", "unlocked"))

    say = add("say", _ask, "Say something at home, to hear whether the loudspeaker works.", data=True)
    say.add_argument("text")
    say.add_argument("--language", choices=LANGUAGES, help="of the text (default: the home's)")

    add("video", _video, "Who looks through the cameras, who did, and no to it.", data=True)

    text = "Show, verify or export the journal of a node; erase it when a tenancy ends."
    journal = add("journal", _journal, text, data=True)
    journal.add_argument("what", choices=("show", "verify", "export", "erase"))
    journal.add_argument("--yes", action="store_true", help="really erase it, for good")

    text = "Show or write the backup of a radio's network; restore it onto a new stick."
    add("radio", _radio, text, data=True)
    text = "Receive a party's alerts of many homes, and hand each over."
    add("listen", _run_of("homenode.listen.run"), text)
    text = "Sign a home's configuration, send it to the node, see which one runs."
    add("configure", _run_of("homenode.configure.command"), text)
    text = "The caregivers' web pages: alerts of all homes, who has them, who is on duty."
    add("console", _run_of("homenode.console.run"), text)
    text = "All homes of an operator: how they are, updates ring by ring, diagnostics."
    add("fleet", _run_of("homenode.fleet.run"), text)
    add("panel", _panel, "The page for a tablet by the front door; pairs tablets.", data=True)
    text = "The office: enrols boxes (EST), and says which home each is for."
    add("office", _run_of("homenode.office.command"), text)
    text = "Have this box find its office, its certificate and its home."
    add("enrol", _run_of("homenode.enrol.command"), text)
    text = "Put a home, or what its office gave, on a card; on an installer's machine."
    add("provision", _run_of("homenode.enrol.provision_command"), text)
    text = "Install what the operator ordered, prove it, and fall back if it fails (RAUC)."
    add("update", _update, text, data=True)
    add("driver", _run_of("homenode.kit.command"), "Make a driver for a sensor of one's own, and test it.")
    add("sim", _run_of("homenode.sim.run"), "The simulated apartment: a process that is the hardware.")
    demo = add("demo", _run_of("homenode.demo.run"), "A day in the simulated apartment, in about a minute.")
    demo.add_argument("--live", action="store_true", help="keep running for play")
    named = next((word for word in argv if not word.startswith("-")), "")
    if named in commands.choices:
        _add_own(named, commands.choices[named])
    return parser


def _add_own(name: str, parser: argparse.ArgumentParser) -> None:
    """Arguments of the command that was named, where its part of homenode knows them."""
    match name:
        case "import":
            from homenode.importing.arguments import add_arguments
        case "install":
            from homenode.install.command import add_arguments
        case "replace":
            from homenode.install.command import add_common as add_arguments
        case "listen":
            from homenode.listen.arguments import add_arguments
        case "configure":
            from homenode.configure.arguments import add_arguments
        case "console":
            from homenode.console.arguments import add_arguments
        case "fleet":
            from homenode.fleet.arguments import add_arguments
        case "panel":
            from homenode.panel.arguments import add_arguments
        case "office":
            from homenode.office.arguments import add_arguments
        case "enrol":
            from homenode.enrol.arguments import add_arguments
        case "provision":
            from homenode.enrol.provision_command import add_arguments
        case "radio":
            from homenode.radio_commands import add_arguments
        case "rules":
            from homenode.rule_commands import add_arguments
        case "schema":
            from homenode.contract.document import schemas

            names = ("home", "rule", "asyncapi", *schemas())
            parser.add_argument("what", nargs="?", default="home", choices=names, help="default: home")
            return
        case "driver":
            from homenode.kit.command import add_arguments
        case "sim":
            from homenode.sim.run import add_arguments
        case "wiring":
            from homenode.wiring.command import add_arguments
        case "tune":
            from homenode.tune.arguments import add_arguments
        case "video":
            from homenode.look_commands import add_arguments
        case "update":
            from homenode.update.run import add_arguments
        case _:
            return
    add_arguments(parser)


def _parsed(argv: Sequence[str]) -> argparse.Namespace:
    """The command line. Names after an option count as those before it, which argparse does only in part."""
    parser = _parser(argv)
    args, rest = parser.parse_known_args(argv)
    takes = "" if any(word.startswith("-") and word != "-" for word in rest) else getattr(args, "takes", "")
    if rest and takes:
        taken = getattr(args, takes)
        if isinstance(taken, list):
            taken += rest
            rest = []
        elif not taken:
            setattr(args, takes, rest.pop(0))
    if rest:
        args.wrong(f"unrecognized arguments: {' '.join(rest)}")
    return args


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status (`homenode.ended`)."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # as of stderr: a terminal may not have our signs
    return status_of(lambda: _command(sys.argv[1:] if argv is None else argv))


def _command(argv: Sequence[str]) -> int:
    args = _parsed(argv)
    command: Command = args.call
    return command(args)


if __name__ == "__main__":
    sys.exit(main())

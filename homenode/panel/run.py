"""`homenode panel`: pairs tablets, lets them go, and becomes the page's server (`homenode.panel.serve`)."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path

from homenode.errors import Refused, SetupError
from homenode.gateway.clock import Clock
from homenode.panel.paired import CODE_MS, NAME, Paired


def run(args: argparse.Namespace, data: Path) -> int:
    """Do what the arguments say; exit status.

    Raises:
        SetupError: It is no address to be used, the folder can't be written, or another user's page reads it.
        Refused: There is no such panel.
    """
    paired = Paired(data, Clock())
    match args.what:
        case "pair" | "revoke" if os.geteuid() == 0 and data.exists() and data.stat().st_uid != 0:
            do = f"runuser -u homenode -- homenode panel {args.what} …"
            raise SetupError("root's file is none that the page could read", where=str(data), do=do)
        case "pair":
            print(f"code {paired.new_code()}: for one tablet, within {CODE_MS // 60_000} min")
        case "panels":
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                (data / NAME).open("rb").close()  # else who may not read it would be told that none is paired
            rows = paired.panels()
            print("\n".join(f"{one['id']}  since {one['since']}" for one in rows) or "no panel is paired")
        case "revoke":
            if not paired.revoke(args.panel):
                raise Refused(f"no panel {args.panel!r} is paired", do="homenode panel panels lists them")
            print("it must be paired anew")
        case _:
            from homenode.panel.place import place

            host, port = place(args.listen)
            told = [str(data), host, str(port), args.log, *(["--verbose"] if args.verbose else [])]
            os.execv(sys.executable, [sys.executable, "-m", "homenode.panel.serve", *told])
    return 0

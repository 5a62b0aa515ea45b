"""What root does for enrolment on a node: the card's provisioning file in, the machine set up, news out.

Started at each boot and whenever enrolment says something new. What the node's user can write is not
believed here: its folder is written to by new files only, and of its state.json a text and a lamp are made.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pwd
import re
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from homenode.config.notes import Notes
from homenode.config.yaml12 import Table, compose, read_text
from homenode.configure import place
from homenode.enrol import blink, machine, paper, state
from homenode.enrol.places import FACTORY, FILE, TOLD, Places
from homenode.enrol.provision_file import Machine, Provision, addresses_of, provision_of, with_home
from homenode.enrol.sealing import seal, unseal
from homenode.enrol.steps import Outcome, State, Why
from homenode.enrol.words import said
from homenode.errors import FileMistakes, Mistake
from homenode.gateway.clock import Clock
from homenode.install.home_file import replace
from homenode.journal.segment import sync_folder
from homenode.journal.wall_time import text_of
from homenode.update.files import read_file

log = logging.getLogger("homenode.enrol")

USER = "homenode"
RUN, NET = Path("/run"), Path("/sys/class/net")
LATE_S = 20.0
"""So long after this has begun an interface may come, as one at USB does, before it is told absent."""
WHERE: Mapping[str, tuple[str, int]] = {
    "10-homenode.network": ("systemd/network", 0o644),
    "05-homenode-apartment.network": ("systemd/network", 0o644),
    "apartment.nft": ("homenode-nft", 0o644),
    "panel.env": ("homenode-machine", 0o644),
    "wpa_supplicant.conf": ("homenode-machine", 0o600),
    "homenode.sources": ("homenode-machine/chrony", 0o644),
    "authorized_keys": ("homenode-machine", 0o644),
}
"""Below /run, at each boot: nothing of it is on a root that is read-only."""
NETWORKD = ("org.freedesktop.network1", "/org/freedesktop/network1", "org.freedesktop.network1.Manager")
"""Asked over D-Bus: networkctl refuses to run in another network namespace, as this does."""
MEANT = re.compile(r"(?!\.).*provision.*|home([ .(_-].*)?", re.IGNORECASE)
MOST_PEM = 65_536
LAMPS = ("/sys/class/leds/ACT", "/sys/class/leds/led0")
OWN_TRIGGER = "mmc0"
"""What a Pi's green lamp shows otherwise."""


def boot(places: Places, *, run: Path = RUN, lamps: tuple[str, ...] = LAMPS) -> int:
    """Once; exit status."""
    failed: Mapping[str, object] = {}
    enrolled = _enrolled(state.now(places))  # whatever its file on the card is like
    mistakes: tuple[Mistake, ...] = ()
    try:
        mistakes = _take(places)
        _take_factory(places)
    except OSError as error:
        text = f"{error.filename or ''} {error.strerror}".strip()
        log.error("provisioning file not taken", extra={"why": text})
        failed = _failed(Outcome(State.FAILED, Why("card", {"text": text})))
    _set_up(places, run)
    waits_s = LATE_S
    while True:
        now = state.now(places)
        try:
            seal(places)  # before the gateway runs
        except OSError as error:
            log.error("signers not taken over", extra={"why": f"{error.filename}: {error.strerror}"})
        other = now.get("key") == "other_home"  # it is for that one by now
        if (enrolled or other or _enrolled(now)) and places.home.exists() and run == RUN:
            _call("systemctl", "stop" if other else "start", "--no-block", "homenode.service")
        told = failed or now or (_failed(Outcome(State.FAILED, Why("lost"))) if places.forgets else {})
        _tell(places, told, (*mistakes, *(absent(_kept(places), waits_s) if run == RUN else ())))
        waits_s = 0
        for lamp in lamps:
            _light(Path(lamp), blink.code(str(told.get("state", "")), str(told.get("key", ""))))
        if state.now(places) == now:  # what changes while this runs starts it no second time (systemd.path)
            return 0


def _enrolled(said: Mapping[str, object]) -> bool:
    return said.get("state") == State.ENROLLED.value


# The provisioning file


def _take(places: Places) -> tuple[Mistake, ...]:
    """Take what the installer put on the card; its mistakes, if it has any: then it stays."""
    file, home = places.boot / FILE, places.boot / "home.yaml"
    if file.is_file() and _blank(file):
        _wipe_all(places, (file,))  # a power cut left it so
    if not file.exists() and not home.exists():
        if places.home.exists() or (mistake := _misnamed(places.boot)) is None:
            return ()
        return _refused(
            places, Why("file_name", {"found": mistake.file, "text": mistake.accepted}), [mistake]
        )
    text = ""
    try:
        text = read_text(file, FILE) if file.exists() else ""
        provision = provision_of(text, FILE) if file.exists() else Provision()
        files = provision.files or _beside(places.boot)
        text = with_home(text, {} if provision.files else files)
        provision_of(text, FILE)
        _look_at(files, f"{FILE}: " if provision.files else "")
    except FileMistakes as error:
        _keep(places, addresses_of(text))
        key = "file_wrong" if error.mistakes[0].file == FILE else "card_home_wrong"
        return _refused(places, Why(key, {"text": str(error.mistakes[0])[:300]}), error.mistakes)
    _hand_over(places, places.provision, text.encode(), 0o600)
    _keep(places, provision)
    if provision.code:
        unseal(places)
    left = (*(places.boot / "rules").glob("*.yaml"), *places.boot.glob("._home*.yaml"), home, file)
    _wipe_all(places, left, whole=text if home.exists() else "")
    log.info("provisioning file taken")
    return ()


def _take_factory(places: Places) -> None:
    """Certificate and key that the factory put on the card. Raises OSError."""
    on_card = [path for name in reversed(FACTORY) if (path := places.boot / name).is_file()]
    if len(on_card) == len(FACTORY):
        for path in on_card:
            with path.open("rb") as file:
                _hand_over(places, places.folder / path.name, file.read(MOST_PEM), 0o600)
        log.info("certificate of the factory taken")
    if taken := [path for path in on_card if _is_taken(places, path)]:  # the key first
        _wipe_all(places, taken)


def _is_taken(places: Places, path: Path) -> bool:
    """Whether the node's user has it, who may have put a link or a pipe in its place."""
    with contextlib.suppress(OSError):
        return read_file(places.folder / path.name, MOST_PEM) == path.read_bytes()
    return False


def _refused(places: Places, why: Why, mistakes: Sequence[Mistake]) -> tuple[Mistake, ...]:
    """Nothing is taken, and why."""
    failed = _failed(Outcome(State.FAILED, why))
    if {**state.now(places), "at": failed["at"]} != failed:  # a change of it starts this again
        _hand_over(places, places.state, json.dumps(failed, ensure_ascii=False).encode(), 0o640)
    log.warning("provisioning file has mistakes", extra={"first": str(mistakes[0])[:300]})
    return tuple(mistakes)


def _misnamed(folder: Path) -> Mistake | None:
    """A file that was meant to be taken: Windows hides .txt, a browser adds (1)."""
    for name in sorted(path.name for path in folder.glob("*") if path.is_file()):
        if MEANT.fullmatch(name) and not name.endswith(".new"):
            return Mistake(name, 0, "name", name, FILE if "provision" in name.lower() else "home.yaml")
    return None


def _blank(file: Path) -> bool:
    with file.open("rb") as stream:
        return not any(block.strip(b"\0") for block in iter(lambda: stream.read(65_536), b""))


def _wipe_all(places: Places, files: Iterable[Path], whole: str = "") -> None:
    """Wipe them in this order; before that all is in the file, for a power cut in between."""
    try:
        with _writable(places.boot):
            if whole:
                file = places.boot / FILE
                with file.open("r+b") if file.exists() else contextlib.nullcontext() as old:
                    _put(file, whole.encode())
                    if old is not None:  # renaming over it frees what it was, code and all
                        _zero(old)
            for path in files:
                wipe(path)
            sync_folder(places.boot)
    except OSError as error:  # it is taken all the same, and taken again at the next boot
        log.error("provisioning file not wiped", extra={"why": error.strerror})


def _beside(folder: Path) -> dict[str, str]:
    """home.yaml and rules that lie beside it."""
    return {name: read_text(path, name) for name, path in place.files_there(folder).items() if path.exists()}


def _look_at(files: Mapping[str, str], inside: str) -> None:
    """Whether the home's files are YAML: all of it the node's user checks, as drivers are loaded for that.

    Raises:
        FileMistakes: All that is wrong with them.
    """
    mistakes: list[Mistake] = []
    for name, text in files.items():
        notes = Notes(f"{inside}{name}")
        try:
            root = compose(text, notes.file)
            if not isinstance(root, Table):
                notes.wrong(root, "file", "a mapping")
        except FileMistakes as error:
            mistakes += error.mistakes
        mistakes += notes.mistakes
    if mistakes:
        raise FileMistakes(mistakes)


def _failed(outcome: Outcome) -> dict[str, object]:
    told = said(outcome.why)
    return {"state": outcome.state.value, "key": outcome.why.key, **told, "at": text_of(Clock().wall())}


def _keep(places: Places, provision: Provision) -> None:
    """What is for the machine, in a folder of root's own: a service key comes from a card only."""
    old = _kept(places) or Machine()
    if (new := machine.taken(old, provision.machine, provision.named)) != old:
        places.machine.mkdir(mode=0o711, parents=True, exist_ok=True)
        replace(places.machine / "machine.json", json.dumps(machine.kept(new)).encode(), 0o600)


def _kept(places: Places) -> Machine | None:
    try:
        return machine.read_back(json.loads((places.machine / "machine.json").read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def wipe(path: Path) -> None:
    """Overwrite and remove a file; nothing if it isn't there. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        with path.open("r+b") as file:
            _zero(file)
        path.unlink()


def _zero(file: BinaryIO) -> None:
    file.write(bytes(os.fstat(file.fileno()).st_size))
    file.flush()
    os.fsync(file.fileno())


# The machine


def _set_up(places: Places, run: Path) -> None:
    kept = _kept(places)
    if kept is None:
        return
    changed, files = False, machine.files_of(kept)
    for name, (folder, mode) in WHERE.items():
        path, text = run / folder / name, files.get(name)
        if (path.read_text() if path.exists() else None) == text:
            continue
        if text is None:
            path.unlink()
        else:
            _open_to_all(path.parent, run)
            replace(path, text.encode(), mode)
        changed = True
    if changed and run == RUN:
        _call("busctl", "call", *NETWORKD, "Reload")
        _call("chronyc", "reload", "sources")
        _call("systemctl", "reload", "nftables.service")
        _call("systemctl", "try-restart", "--no-block", "homenode-panel.service")


def absent(kept: Machine | None, within_s: float, net: Path = NET) -> tuple[Mistake, ...]:
    """Interfaces that the file names and the machine hasn't got by then: nothing else would tell."""
    kept, until_s = kept or Machine(), Clock.up_s() + within_s
    named = (("network", kept.network), ("apartment", kept.apartment))
    while True:
        there = sorted(path.name for path in net.iterdir())
        found = tuple(
            Mistake(FILE, 0, f"{name}.interface", which, f"one of {', '.join(there)}")
            for name, said in named
            if (which := str(said.get("interface") or "")) and which not in there
        )
        if not found or Clock.up_s() >= until_s:
            return found
        time.sleep(0.2)


def _open_to_all(folder: Path, run: Path) -> None:
    """A folder below /run that chronyd and sshd can look into."""
    for one in (*reversed(folder.relative_to(run).parents), folder.relative_to(run)):
        if not (run / one).is_dir():
            (run / one).mkdir()
            (run / one).chmod(0o755)  # whatever the umask says


def _call(*command: str) -> None:
    """Whoever isn't here, or doesn't run yet, reads it at the start."""
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=10)
        why = done.stderr.strip()[:300] if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        why = str(error)
    if why:
        log.warning("not told of what changed", extra={"command": " ".join(command), "why": why})


# News


def _tell(places: Places, told: Mapping[str, object], mistakes: tuple[Mistake, ...]) -> None:
    """On the boot partition, if it says something else there by now."""
    if not places.boot.is_dir():
        return
    text = paper.written(
        told, [str(one) for one in mistakes], ", ".join(dict.fromkeys(one.file for one in mistakes))
    )
    data, path = text.encode("utf-8-sig", "replace"), places.boot / TOLD
    with contextlib.suppress(OSError):
        if path.read_bytes() == data:
            return
    try:
        with _writable(places.boot):
            _put(path, data)
    except OSError as error:
        log.warning("nothing said on the card", extra={"why": error.strerror})


def _put(path: Path, data: bytes) -> None:
    """As `replace`, on FAT: that has no owners. Raises OSError."""
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)


@contextlib.contextmanager
def _writable(folder: Path) -> Iterator[None]:
    """The boot partition is mounted read-only but while it is written to."""
    again = os.statvfs(folder).f_flag & os.ST_RDONLY and os.path.ismount(folder)
    if again:
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=False, capture_output=True)
    try:
        yield
    finally:
        if again:
            os.sync()
            subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=False, capture_output=True)


def _light(lamp: Path, flashes: int) -> None:
    """As the code says; what the kernel doesn't offer is left."""
    if not (lamp / "trigger").exists():
        return
    try:
        now = (lamp / "trigger").read_text()
        if not flashes:
            if OWN_TRIGGER in now and f"[{OWN_TRIGGER}]" not in now:
                (lamp / "trigger").write_text(OWN_TRIGGER)
        elif "pattern" in now:
            (lamp / "trigger").write_text("pattern")
            (lamp / "pattern").write_text(blink.pattern(flashes))
        else:
            (lamp / "trigger").write_text("timer")
            for name in ("delay_on", "delay_off"):
                (lamp / name).write_text(str(blink.half_period_ms(flashes)))
    except OSError as error:
        log.debug("lamp not lit", extra={"lamp": str(lamp), "why": error.strerror})


def _hand_over(places: Places, path: Path, data: bytes, mode: int) -> None:
    """A new file for the node's user, past whatever that user put in its place. Raises OSError."""
    owner = _owner(places)
    if not places.data.exists():
        places.data.mkdir(mode=0o750, parents=True)
        os.chown(places.data, *owner)
    with contextlib.suppress(FileExistsError):
        places.folder.mkdir(mode=0o750)
    at = os.open(places.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchown(at, *owner)  # what was opened, whatever stands there by now
        aside = f".{path.name}.{os.getpid()}"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(aside, dir_fd=at)
        made = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode, dir_fd=at)
        with os.fdopen(made, "wb") as file:
            os.fchmod(made, mode)
            os.fchown(made, *owner)
            file.write(data)
            file.flush()
            os.fsync(made)
        os.rename(aside, path.name, src_dir_fd=at, dst_dir_fd=at)
        os.fsync(at)
    finally:
        os.close(at)


def _owner(places: Places) -> tuple[int, int]:
    if places.data.exists():
        found = places.data.stat()
        return found.st_uid, found.st_gid
    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        return os.geteuid(), os.getegid()
    return user.pw_uid, user.pw_gid

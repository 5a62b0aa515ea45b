"""The command line itself: the order of its words, and output that can't be written."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from homenode.cli import main

HOME = """\
home: h
timezone: UTC
devices:
  door: {driver: gpio, pin: 17, kind: contact, room: hall}
rules:
  - use: door_left_open
    bind: {door: door.contact}
"""

READINGS = '{"at": "2026-01-05T06:00:00Z", "point": "door.contact", "value": true}\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "home.yaml").write_text(HOME)
    (tmp_path / "day.jsonl").write_text(READINGS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        "replay home.yaml --json day.jsonl",
        "replay home.yaml --against home.yaml day.jsonl",
        "replay --json home.yaml day.jsonl",
        "tune home.yaml day.jsonl --steps 3 door_left_open open",
        "import day.jsonl --timezone UTC day.jsonl",
        "rules explain door_left_open --language sv tamper",
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_file_may_stand_after_an_option(words: str) -> None:
    assert main(words.split()) == 0


@pytest.mark.parametrize(
    "words",
    [
        "replay home.yaml day.jsonl more.jsonl",
        "replay home.yaml --jsno day.jsonl",
        "import day.jsonl --maps 1=a.power day.jsonl",
        "check home.yaml other.yaml",
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_no_command_takes_is_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words.split())
    assert ended.value.code == 2
    assert f"homenode {words.split()[0]}: error: unrecognized arguments" in capsys.readouterr().err


@pytest.mark.parametrize("when", ["write", "writelines", "flush"])
@pytest.mark.parametrize("words", ["import day.jsonl", "schema", "check home.yaml", "rules explain tamper"])
@pytest.mark.usefixtures("folder")
def test_a_full_disk_is_no_mistake_in_homenode(
    words: str, when: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    full = io.StringIO()
    for name in (when, "flush"):  # what is buffered fails at the latest there
        monkeypatch.setattr(full, name, fails, raising=False)
    monkeypatch.setattr(sys, "stdout", full)
    assert main(words.split()) == 1
    assert "homenode: what was found can't be written: No space left on device" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_what_a_terminal_can_not_show_is_no_mistake_in_homenode(folder: Path, encoding: str) -> None:
    (folder / "smart.yaml").write_text(HOME.replace("gpio", "“gpio”"))
    for name in ("smart.yaml", os.fsdecode(b"\xe4.yaml")):
        done = subprocess.run(
            [sys.executable, "-m", "homenode.cli", "check", name],
            env={**os.environ, "PYTHONIOENCODING": f"{encoding}:strict"},
            capture_output=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (2, b"")
        assert b"1 mistake" in done.stdout or b"2 mistakes" in done.stdout


@pytest.mark.usefixtures("folder")
def test_output_that_was_closed_ends_no_command_that_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["check", "home.yaml"]) == 0


@pytest.mark.usefixtures("folder")
def test_values_of_one_parameter_may_be_given_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["tune", "home.yaml", "day.jsonl", "door_left_open", "--set", "open=1 min", "--set", "open=2 min"]
    assert main(words) == 0
    assert {"1 min", "2 min"} <= {line[:5] for line in capsys.readouterr().out.splitlines()}


@pytest.mark.usefixtures("folder")
def test_a_rule_without_parameters_has_nothing_to_tune(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    button = HOME.replace("kind: contact", "kind: button").replace("door_left_open", "help_button")
    (folder / "home.yaml").write_text(button.replace("{door: door.contact}", "{button: [door.button]}"))
    assert main(["tune", "home.yaml", "day.jsonl", "help_button"]) == 1
    assert "homenode: help_button has no parameters (name another rule)" in capsys.readouterr().err


RULE = "rule: mine\nroles: {d: {kind: contact}}\nwhen: d for 5 min\n"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("check mine.yaml", "a rule, which homenode rules check reads"),
        ("replay mine.yaml day.jsonl", "a rule, which homenode rules check reads"),
        ("check cases.yaml", "the cases of a rule, which homenode rules test runs"),
        ("rules check cases.yaml", "the cases of a rule, which homenode rules test runs"),
        ("rules explain home.yaml", "a home.yaml, which homenode check reads"),
        ("rules explain cases.yaml", "the cases of a rule, which homenode rules test runs"),
        ("check office.yaml", "what homenode provision --file puts on a card"),
        ("provision office.yaml --card .", "what homenode provision --file puts on a card"),
        ("provision --file home.yaml --card .", "a home.yaml, which homenode check reads"),
    ],
)
def test_a_file_of_another_kind_is_one_mistake(
    words: str, found: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mine.yaml").write_text(RULE)
    (folder / "cases.yaml").write_text("cases: []\n")
    (folder / "office.yaml").write_text("office: https://o\ncode: ABCD-EFGH\n")
    assert main(words.split()) == 2
    told = "".join(capsys.readouterr())
    assert (told.count("accepted:"), f"file: found {found}; accepted: a" in told) == (1, True)


def test_who_may_not_see_where_an_update_is_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("homenode.update.run.read_json", refused)
    assert main(["update", "--status", "--data", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert "state.json: it can't be read: Permission denied" in told
    assert "or with sudo" in told


def test_who_may_not_see_how_far_enrolment_is_is_told_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "enrol" / "state.json"
    status = ["enrol", "status", "--data", str(tmp_path)]
    assert main(status) == 1
    assert f"{tmp_path}: nobody has said yet how far enrolment is" in capsys.readouterr().err
    state.parent.mkdir()
    state.write_text('{"state": "enrolled"}')
    assert main(status) == 0
    assert "enrolled" in capsys.readouterr().out
    tmp_path.chmod(0)
    was = os.geteuid()
    os.seteuid(65534)
    try:
        assert main(status) == 1
    finally:
        os.seteuid(was)
        tmp_path.chmod(0o700)
    assert f"{state}: it can't be read (run this as" in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() != 0, reason="root can be another user")
@pytest.mark.parametrize(
    ("words", "file"), [("journal erase --yes", "erasing.json"), ("panel panels", "panel.json")]
)
def test_who_may_not_read_the_nodes_folder_is_told_which_user_may(
    words: str, file: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = folder / "homenode-data"
    data.mkdir(mode=0o700)
    (data / "panel.json").write_text('{"code": null, "panels": [{"id": "a", "since": "2026-01-05"}]}')
    assert main(["panel", "panels"]) == 0
    assert "a  since 2026-01-05" in capsys.readouterr().out
    os.seteuid(65534)
    try:
        assert main(words.split()) == 1
    finally:
        os.seteuid(0)
    do = "run this as the user that runs homenode"
    assert capsys.readouterr().err == f"homenode: homenode-data/{file}: Permission denied ({do})\n"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize(
    "words", ["panel pair", "panel revoke all", "enrol once --config . --data homenode-data"]
)
def test_root_keeps_no_file_from_the_nodes_user(
    words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = folder / "homenode-data"
    data.mkdir()
    os.chown(data, 65534, 65534)
    before = [*folder.rglob("*")]
    assert main(words.split()) == 1
    assert f"(runuser -u homenode -- homenode {words.split()[0]} " in capsys.readouterr().err
    assert [*folder.rglob("*")] == before


@pytest.mark.parametrize(
    ("radios", "told"),
    [
        ("", "radios: home.yaml has no radio whose network is kept, as that of zigbee is"),
        (
            "radios: {a: {driver: zigbee, port: /dev/a}, b: {driver: zigbee, port: /dev/b}}\n",
            "radios: home.yaml has 2 such radios (name one with --radio: a, b)",
        ),
    ],
)
def test_which_radio_is_meant_is_asked_only_where_there_are_several(
    radios: str, told: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "home.yaml").write_text(radios + HOME)
    assert main(["radio", "show"]) == 1
    assert f"homenode: {told}\n" == capsys.readouterr().err


WITHOUT = """
import sys
for name in sys.argv.pop(1).split(","):
    sys.modules[name] = None
from homenode.cli import main
sys.exit(main(sys.argv[1:]))
"""
ALL = "h11,cryptography,joserfc,fpdf,segno,jinja2,argon2,zigpy,bellows"


def without(names: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT, names, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("missing", "words", "extra"),
    [
        ("cryptography", "office init off --name localhost", "office"),
        ("cryptography", "enrol once --config . --data . --serial 1", "enrol"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_who_lacks_a_library_is_told_the_extra_of_this_command(missing: str, words: str, extra: str) -> None:
    done = without(missing, *words.split())
    assert f"{missing} is not installed (pip install 'homenode[{extra}]')" in done.stderr, done


def test_an_installers_laptop_needs_no_extra_for_a_card(folder: Path) -> None:
    (folder / "config.txt").touch()
    assert without(ALL, "provision", "--help").returncode == 0
    done = without(ALL, "provision", "home.yaml", "--card", str(folder), "--office", "https://o")
    assert done.returncode == 0, done.stderr

"""The office's folder of homes: what is signed there, what is shown to who signs, and what is refused."""

from __future__ import annotations

import json
import shutil
import stat
from pathlib import Path

import pytest

from homenode.cli import main
from homenode.configure import place
from homenode.configure.kept import running
from homenode.configure.office import sheet, signing, taken
from homenode.configure.payload import Configuration
from homenode.configure.signatures import make_pair, read_key, sign
from homenode.errors import FileMistakes, HomenodeError, Refused, SetupError

AT = "2026-01-05T06:12:03.250+00:00"
HOME = """\
home: h-1
timezone: Europe/Stockholm
devices:
  eye: {driver: gpio, pin: 5, kind: motion, room: kitchen}
  sink: {driver: gpio, pin: 27, kind: water, room: kitchen}
rules:
  - use: water_leak
    bind: {water: [sink.water]}
"""


@pytest.fixture
def homes(tmp_path: Path) -> Path:
    (tmp_path / "trust").mkdir()
    for party in ("operator", "care"):
        give(tmp_path, party)
    (tmp_path / "h-1").mkdir()
    (tmp_path / "h-1" / "home.yaml").write_text(HOME)
    return tmp_path


def give(homes: Path, party: str) -> None:
    """A new key."""
    private, public = make_pair()
    (homes / f"{party}.key").write_text(private)
    (homes / "trust" / f"{party}.pem").write_text(public)


def edit(homes: Path, old: str, new: str) -> None:
    file = homes / "h-1" / "home.yaml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


def signed(homes: Path, *parties: str) -> tuple[int, list[str], set[str]]:
    """Number, what is new to the last of them, who has to sign besides."""
    for party in parties:
        done, new = signing(homes / "h-1", homes / f"{party}.key", "Eva", AT)
    return done.configuration.number, [one.place for one in new], set(done.lacking)


def why(homes: Path, kind: type[HomenodeError] = Refused, key: str = "operator.key") -> str:
    with pytest.raises(kind) as refused:
        signing(homes / "h-1", homes / key, "Eva", AT)
    return str(refused.value)


def test_the_first_needs_both_and_a_second_signature_is_on_the_same(homes: Path) -> None:
    number, new, lacking = signed(homes, "operator")
    assert (number, lacking) == (1, {"care"})
    assert {"home", "timezone", "devices.eye", "rules.water_leak"} <= set(new)
    assert signed(homes, "care") == (1, new, set())


def test_what_a_mac_put_beside_the_rules_is_not_signed_and_is_no_change_at_the_node(
    homes: Path, tmp_path: Path
) -> None:
    rules = homes / "h-1" / "rules"
    rules.mkdir()
    (rules / "._own.yaml").write_bytes(b"\0\5\x16\7\xff")
    signed(homes, "operator")
    made = sheet(homes / "h-1")
    assert made is not None
    assert made.configuration.files == {"home.yaml": HOME}
    node = tmp_path / "node"
    node.mkdir()
    place.put(node, "1", made.configuration.files, made.jws)
    (node / "rules" / "._own.yaml").write_bytes(b"\0\5\x16\7\xff")
    found = running(node)
    assert found is not None
    assert not found.touched


def test_what_is_the_operators_needs_no_other_and_counts_one_up(homes: Path) -> None:
    signed(homes, "operator", "care")
    edit(homes, "pin: 5", "pin: 6")
    assert signed(homes, "operator") == (2, ["devices.eye.pin"], set())


def test_each_change_after_a_signature_has_a_number_of_its_own(homes: Path) -> None:
    signed(homes, "operator", "care")
    edit(homes, "pin: 5", "pin: 6")
    signed(homes, "operator")
    edit(homes, "rules:", "share: {property: [eye.motion]}\nrules:")
    assert signed(homes, "operator") == (3, ["share.property", "share.property.eye"], {"care"})
    edit(homes, "pin: 6", "pin: 7")  # before care has signed: it still has to
    assert signed(homes, "operator") == (4, ["devices.eye.pin"], {"care"})
    assert signed(homes, "care") == (4, ["devices.eye.pin", "share.property", "share.property.eye"], set())


def test_nobody_can_hide_a_change_from_who_signs_it(homes: Path) -> None:
    signed(homes, "operator", "care")
    edit(homes, "rules:", "share: {property: [eye.motion]}\nrules:")
    text = (homes / "h-1" / "home.yaml").read_text()
    key = read_key((homes / "operator.key").read_text(), "key", private=True)
    forged = sign(Configuration("h-1", 1, {"home.yaml": text}, AT, "Olle").encode(), key)
    for name in ("signed.before.json", "signed.care.json"):  # as if care had known it all along
        (homes / "h-1" / name).write_text(forged)
    _, new, _ = signed(homes, "care")
    assert {"share.property", "timezone"} <= set(new), "what care has not signed itself is all new to it"


def test_after_all_keys_were_replaced_numbers_go_on_and_all_of_it_is_new(homes: Path) -> None:
    signed(homes, "operator", "care")
    edit(homes, "pin: 5", "pin: 6")
    for party in ("operator", "care"):
        give(homes, party)
    number, new, _ = signed(homes, "operator")
    assert number == 2
    assert "timezone" in new


def test_what_was_never_sent_is_new_until_it_is_signed_by_whom_it_needs(homes: Path) -> None:
    signed(homes, "operator", "care")
    edit(homes, "pin: 5, kind: motion, room: kitchen", "pin: 6, kind: motion, room: hall")
    assert signed(homes, "operator", "care") == (2, ["devices.eye.room", "devices.eye.pin"], set())
    edit(homes, "pin: 6", "pin: 7")
    assert signed(homes, "operator") == (3, ["devices.eye.pin"], {"care"}), "the node has another room"
    assert signed(homes, "care") == (3, ["devices.eye.pin"], set())
    sent = sheet(homes / "h-1")
    assert sent is not None
    taken(homes / "h-1", sent)
    edit(homes, "pin: 7", "pin: 8")
    assert signed(homes, "operator") == (4, ["devices.eye.pin"], set())


def test_a_comment_needs_any_one_of_them(homes: Path) -> None:
    signed(homes, "operator", "care")
    edit(homes, "devices:", "devices:  # by room")
    assert signed(homes, "care") == (2, [], set())


def test_what_has_mistakes_is_not_signed(homes: Path) -> None:
    edit(homes, "kind: water,", "kind: wine,")
    assert "home.yaml:5:" in why(homes, FileMistakes)
    assert not (homes / "h-1" / "signed.json").exists()
    assert sheet(homes / "h-1") is None


def test_a_copied_folder_that_names_the_home_it_was_copied_from_is_neither_signed_nor_sent(
    homes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    signed(homes, "operator", "care")
    other, key = homes / "h-2", str(homes / "operator.key")
    shutil.copytree(homes / "h-1", other)
    file, jws = other / "home.yaml", (other / "signed.json").read_text()
    file.write_text(f"# bathroom\n{HOME}")
    assert main(["configure", "sign", str(other), "--key", key]) == 2
    accepted = "h-2, as its folder is called, or a folder called h-1; sign it then"
    told = f"{file}:2:7: home: found h-1; accepted: {accepted}"
    assert told in capsys.readouterr().err
    assert (other / "signed.json").read_text() == jws
    assert main(["configure", "send", str(other), "--broker", "mqtt://127.0.0.1:1"]) == 2
    assert f"{file}:1:7: home: found h-1" in capsys.readouterr().err, "as it was signed"
    file.write_text(HOME.replace("h-1", "h-2"))
    assert main(["configure", "sign", str(other), "--key", key]) == 0
    assert "h-2: 2 of" in capsys.readouterr().out


def test_strange_keys_files_and_folders_are_told(homes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (homes / "other.key").write_text(make_pair()[0])
    assert why(homes, key="other.key").endswith("(keys in trust/: operator, care)")
    assert "gone.key: can't be read" in why(homes, SetupError, "gone.key")
    (homes / "h-1" / "rules").mkdir()
    (homes / "h-1" / "rules" / "Own.yaml").write_text("")
    assert why(homes).startswith("no configuration brings 'rules/Own.yaml'")
    (homes / "h-1" / "rules" / "Own.yaml").unlink()
    (homes / "h-1" / "signed.json").write_text("{}")
    assert why(homes).startswith("no JWS")
    assert main(["configure", "show", str(homes / "h-1")]) == 1
    damaged = f"({homes}/h-1/signed.json is damaged, as by a merge of git: keep one side's, whole"
    for told in (why(homes), capsys.readouterr().err):
        assert damaged in told
    for pem in (homes / "trust").iterdir():
        pem.unlink()
    assert "nobody's public key is there" in why(homes, SetupError)


def test_too_much_to_send_is_told_when_it_is_signed(homes: Path) -> None:
    edit(homes, "devices:", f"devices:  # {'x' * 50_000}")
    assert "at most 60000: fewer or shorter files" in why(homes)
    edit(homes, "x" * 50_000, "")
    assert signed(homes, "operator")[0] == 1


def test_a_key_is_made_once_and_for_its_owner_alone(homes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["configure", "key", "care", str(homes / "new.key"), "--homes", str(homes / "more")]
    assert main(words) == 0
    assert stat.S_IMODE((homes / "new.key").stat().st_mode) == 0o600
    assert "PRIVATE" not in (homes / "more" / "trust" / "care.pem").read_text()
    capsys.readouterr()
    assert main(words) == 1
    assert "is there already" in capsys.readouterr().err
    key = (homes / "new.key").read_text()
    assert main([*words[:-1], str(homes / "others")]) == 0, "of homes that have none yet"
    public = [(homes / name / "trust" / "care.pem").read_text() for name in ("more", "others")]
    assert public[0] == public[1]
    assert (homes / "new.key").read_text() == key
    assert main(["configure", "key", "operator", str(homes / "others/trust/care.pem"), "--homes", "x"]) == 1
    assert "no private key in it" in capsys.readouterr().err


def test_what_is_signed_is_shown(homes: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(homes / "h-1")
    assert main(["configure", "show", folder]) == 1
    assert "nothing is signed here" in capsys.readouterr().err
    signed(homes, "operator")
    assert main(["configure", "show", folder]) == 0
    shown = f"h-1: 1 of {AT} by Eva, signed by operator; care must sign, too\n"
    assert capsys.readouterr().out == shown
    assert main(["configure", "send", folder, "--broker", "mqtt://127.0.0.1:1"]) == 1
    assert "h-1: not signed by care" in capsys.readouterr().err
    edit(homes, "pin: 5", "pin: 6")
    assert main(["configure", "show", folder]) == 0
    edited = f"h-1: {folder} was changed since 1 was signed: homenode configure sign\n"
    assert capsys.readouterr().out == shown + edited


@pytest.mark.parametrize("by", ["", "Eva\n", "x" * 121])
def test_what_is_signed_by_no_name_leaves_what_was_signed_as_it_was(homes: Path, by: str) -> None:
    signed(homes, "operator", "care")
    edit(homes, "pin: 5", "pin: 6")
    before = (homes / "h-1" / "signed.json").read_text()
    with pytest.raises(Refused, match="by must name who made it"):
        signing(homes / "h-1", homes / "operator.key", by, AT)
    assert (homes / "h-1" / "signed.json").read_text() == before
    assert signed(homes, "operator")[0] == 2


def test_a_user_without_a_name_is_told_to_give_one(
    homes: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 2**31 - 7)  # of a container: nobody in /etc/passwd
    words = ["configure", "sign", str(homes / "h-1"), "--key", str(homes / "operator.key")]
    assert main(words) == 1
    assert "this user has no name on this machine (give one with --by NAME)" in capsys.readouterr().err
    assert main([*words, "--by", "Eva"]) == 0


def test_a_folder_that_is_not_there_and_no_duration_are_told(
    homes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nix, broker = str(homes / "nix"), ("--broker", "mqtt://127.0.0.1:1")
    assert main(["configure", "send", nix, *broker]) == 1
    assert f"{nix}: is not there" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["configure", "send", str(homes / "h-1"), *broker, "--wait", "abc"])
    assert "--wait abc: give a duration such as" in capsys.readouterr().err
    for words in (
        ["show", nix],
        ["show", str(homes)],
        ["sign", str(homes), "--key", str(homes / "care.key")],
    ):
        assert main(["configure", *words]) == 1
        assert f"{words[1]}: no home.yaml is in it (name the folder of one home)" in capsys.readouterr().err


def test_what_is_sent_as_another_than_the_file_says_is_told(
    homes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = homes / "operator.yaml"
    file.write_text('party: operator\nbroker: {url: "mqtt://127.0.0.1:1"}\n')
    signed(homes, "operator", "care")
    words = ["configure", "send", str(homes / "h-1"), str(file)]
    with pytest.raises(SystemExit):
        main([*words, "--party", "care"])
    assert f"--party care: {file} is of operator" in capsys.readouterr().err
    assert main([*words, "--party", "operator"]) == 1
    assert "nothing listens there" in capsys.readouterr().err


def test_what_is_signed_is_what_any_reader_of_json_reads(homes: Path) -> None:
    signed(homes, "operator", "care")
    body = json.loads((homes / "h-1" / "signed.json").read_text())
    assert sorted(body) == ["payload", "signatures"]
    assert [sorted(one) for one in body["signatures"]] == [["protected", "signature"]] * 2

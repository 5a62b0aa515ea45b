"""homenode-provision.yaml: what an installer writes, and what of it is for the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from homenode.enrol.card import FAT, SECTOR, is_fat, mounted, partitions
from homenode.enrol.finding import read_resolv, serial
from homenode.enrol.machine import files_of, kept, read_back
from homenode.enrol.paper import written
from homenode.enrol.provision_command import label_of
from homenode.enrol.provision_file import Machine, provision_of, with_home
from homenode.errors import FileMistakes, SetupError
from homenode.office.label import payload

NAME = "homenode-provision.yaml"
CA = (Path(__file__).parent / "office-ca.pem").read_text()
WHOLE = f"""\
office: https://office.example:8453
ca: {json.dumps(CA)}
code: ABCD-EFGH-JKMN-PQRS
service_key: ssh-ed25519 {"A" * 60} eva@example
network:
  address: 192.168.1.10/24
  gateway: 192.168.1.1
  dns: [192.168.1.1, "2001:db8::1"]
  domains: [homes.example]
  wifi: {{ssid: Hem, password: hemligt lösen, country: SE}}
time:
  nts: [nts.netnod.se]
  ntp: [192.168.1.1]
home:
  files:
    home.yaml: "home: h\\n"
    rules/own.yaml: "rule: own\\n"
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(FileMistakes) as caught:
        provision_of(text, NAME)
    return [str(one) for one in caught.value.mistakes]


def test_all_of_a_file_is_read() -> None:
    found = provision_of(WHOLE.replace("lösen", "losen"), NAME)
    assert (found.office, found.code) == ("https://office.example:8453", "ABCD-EFGH-JKMN-PQRS")
    assert found.ca == CA
    assert dict(found.files) == {"home.yaml": "home: h\n", "rules/own.yaml": "rule: own\n"}
    assert found.machine.nts == ("nts.netnod.se",)
    assert read_back(json.loads(json.dumps(kept(found.machine)))) == found.machine
    assert "ABCD" not in repr(found)
    assert "hemligt" not in repr(found)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("offise: https://x\n", 1, "did you mean office"),
        ("office: http://office.example\n", 1, "https://HOST:PORT"),
        ("ca: ''\noffice: https://a..b:8453\n", 2, "https://HOST:PORT"),
        ("office: https://o:84530\n", 1, "https://HOST:PORT"),
        ("office: https://[::1\n", 1, "https://HOST:PORT"),
        ("office: https://o:84:53\n", 1, "https://HOST:PORT"),
        ("office: https://o\nca: |\n  hello\n", 2, "in PEM"),
        ("office: https://o\nca: |\n  -----BEGIN PRIVATE KEY-----\n", 2, "a private key"),
        ("office: https://o\ncode: short\n", 2, "code of the label"),
        ("office: https://o\nca_sha256: abc\n", 2, "64 hexadecimal"),
        ("home: {files: {rules/x.yaml: 'a: b'}}\n", 1, "a home.yaml among them"),
        ("home: {files: {home.yaml: 'h: i', ../evil.yaml: 'x'}}\n", 1, "rules/NAME.yaml"),
        ("home: {files: {home.yaml: {home: h}}}\n", 1, "the text of the file"),
        ("home: {fils: {}}\n", 1, "files:"),
        ("office: https://o\nnetwork:\n  address: 192.168.1.10\n", 3, "192.168.1.10/24"),
        ("office: https://o\nnetwork:\n  gateway: 1.1.1.1\n", 3, "as there is a gateway"),
        ("office: https://o\nnetwork: {dns: [router]}\n", 2, "addresses"),
        ("office: https://o\nnetwork: {wifi: {ssid: Hem, password: kort}}\n", 2, "8 to 63"),
        ("network:\n  interface: eth0\n  wifi: {ssid: Hem, password: 12345678}\n", 2, "as there is wifi"),
        (f"network:\n  wifi: {{ssid: {'å' * 17}, password: 12345678}}\n", 2, "32 bytes"),
        ("network: {interface: e0}\napartment: {interface: e1, address: 8.8.8.8/8}\n", 2, "a private one"),
        ("network: {interface: e1}\napartment: {interface: e1, address: 10.0.0.1/8}\n", 2, "another than"),
        ("apartment: {interface: eth1, address: 10.0.0.1/8}\n", 1, "which one is the closed link's"),
        ("apartment: {interface: eth1}\n", 1, "address"),
        ("office: https://o\ntime: {nts: ['a b']}\n", 2, "names of servers"),
        ("office: https://o\nservice_key: ssh-rsa AAAA\n", 2, "id_ed25519.pub"),
        ("code: ABCD-EFGH-JKMN\nhome: {files: {home.yaml: 'h: i'}}\n", 1, "the office that the code is of"),
        ("- office\n", 1, "a mapping"),
        ("", 1, "a mapping"),
        ("{}\n", 1, "office:, code: or home:"),
        ("office: [\n", 1, "YAML"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(text: str, line: int, said: str) -> None:
    told = mistakes(text)
    assert any(one.startswith(f"{NAME}:{line}") and said in one for one in told), told


def test_all_mistakes_are_told_at_once_and_no_secret() -> None:
    told = mistakes("office: x\ncode: '!secret!'\nnetwork: {wifi: {password: '\"'}}\nservice_key: no\n")
    assert len(told) == 5
    assert "secret" not in str(told)


def test_the_machine_gets_files_of_its_own_programs() -> None:
    found = files_of(provision_of(WHOLE.replace("lösen", "losen"), NAME).machine)
    assert found["10-homenode.network"].splitlines() == [
        "[Match]", "Name=wlan0", "", "[Network]", "Address=192.168.1.10/24", "Gateway=192.168.1.1",
        "DNS=192.168.1.1 2001:db8::1", "Domains=homes.example",
    ]  # fmt: skip
    assert found["homenode.sources"] == "server nts.netnod.se iburst nts\nserver 192.168.1.1 iburst\n"
    wireless = found["wpa_supplicant.conf"].splitlines()
    assert {'  psk="hemligt losen"', "  key_mgmt=WPA-PSK SAE", "  ieee80211w=1"} <= {*wireless}  # WPA3, too
    assert found["authorized_keys"].endswith("eva@example\n")
    assert files_of(Machine()) == {}
    by_dhcp = files_of(Machine(network={"interface": "eth0"}))["10-homenode.network"]
    assert by_dhcp.endswith("DHCP=yes\n\n[DHCPv4]\nUseDomains=yes\n")


def test_the_apartments_side_gets_the_panel_and_no_way_out() -> None:
    text = "network: {interface: eth0}\napartment: {interface: eth1, address: 192.168.77.1/24, dhcp: true}\n"
    machine = provision_of(text, NAME).machine
    assert read_back(kept(machine)) == machine
    found = files_of(machine)
    assert "DHCPServer=yes" in found["05-homenode-apartment.network"]
    assert "EmitRouter=no" in found["05-homenode-apartment.network"]
    assert found["panel.env"] == "LISTEN=192.168.77.1:8650\n"
    assert found["apartment.nft"].splitlines() == [
        "add element inet homenode apartment { eth1 }",
        "add rule inet homenode service iifname eth1 udp dport 67 accept",
    ]


def test_a_home_is_put_into_a_file_that_has_none() -> None:
    text = with_home("# ours\noffice: https://o\n", {"home.yaml": "home: h\n"})
    assert provision_of(text, NAME).files == {"home.yaml": "home: h\n"}
    assert provision_of(with_home("", {"home.yaml": "h: i"}), NAME).files == {"home.yaml": "h: i"}
    assert with_home("x", {}) == "x"


def test_a_label_says_what_a_file_needs() -> None:
    text = payload("https://office.example:8453", "", "ABCD-EFGH-JKMN-PQRS", "ab" * 32)
    found = provision_of(json.dumps(label_of(text)), NAME)
    assert (found.office, found.ca_sha256) == ("https://office.example:8453", "ab" * 32)
    with pytest.raises(SetupError):
        label_of("https://example")


CARD = f"""\
HEMNOD

Fel.
Gör så.

Serienummer     1234
Nyckel          AAAA-BBBB

Fel i {NAME}:
line 3: wrong

Den gröna lampan blinkar så här många gånger och gör sedan en paus:
  1  väntar på nät eller kontor
  2  kontoret ska godkänna dosan eller ge den ett hem
  3  kontoret säger nej, eller är fel kontor
  4  det är fel i en fil, eller den heter fel   <--
  5  byt kortet

------------------------------------------------------------

HOME NODE

Wrong.

Serial number   1234
Key             AAAA-BBBB

Mistakes in {NAME}:
line 3: wrong

The green lamp flashes so many times, and pauses:
  1  waits for network or office
  2  the office has to approve the box, or give it a home
  3  the office says no, or is the wrong one
  4  a file has mistakes, or a wrong name   <--
  5  use another card
"""


def test_what_is_on_the_card_is_read_on_any_machine() -> None:
    state = {
        "state": "failed", "key": "file_wrong", "why": {"sv": "Fel.", "en": "Wrong."},
        "do": {"sv": "Gör så.", "en": ""}, "serial": "1234", "fingerprint": "AAAA-BBBB", "home": None,
    }  # fmt: skip
    assert written(state, ["line 3: wrong"]) == CARD.replace("\n", "\r\n")
    assert NAME in written({}, [])
    assert written({}, ["wrong"] * 60).count("wrong\r\n") == 100


def _table(*rows: tuple[int, int, int]) -> bytes:
    sector = bytearray(SECTOR)
    for at, (kind, first, count) in zip(range(446, 510, 16), rows, strict=False):
        sector[at + 4] = kind
        sector[at + 8 : at + 16] = first.to_bytes(4, "little") + count.to_bytes(4, "little")
    sector[510:] = b"\x55\xaa"
    return bytes(sector)


def test_a_partition_table_is_read() -> None:
    found = partitions(_table((0x0C, 8192, 100), (0x83, 9000, 10)))
    assert [(one.first, one.end, one.type in FAT) for one in found] == [
        (8192 * 512, 8292 * 512, True), (9000 * 512, 9010 * 512, False),
    ]  # fmt: skip
    assert partitions(bytes(512)) == []
    assert not is_fat(_table())


def test_a_card_in_use_is_known_by_its_partitions() -> None:
    rows = ("/dev/sdb1 /media/eva/boot\\040fs", "/dev/mmcblk0p1 /boot", "/dev/sdba /x", "/dev/sddb1 /y")
    mounts = "".join(f"{row} vfat rw 0 0\n" for row in rows)
    assert mounted("/dev/sdb", mounts) == "/media/eva/boot fs"
    assert mounted("/dev/mmcblk0", mounts) == "/boot"
    assert mounted("/dev/sdc", mounts) == ""
    assert mounted("/dev/sdd", mounts) == ""
    data = "/dev/sdb4 /media/eva/data ext4 rw 0 0\n"
    assert mounted("/dev/sdb", data) == "/media/eva/data"
    assert mounted("/dev/sdb", data + mounts) == "/media/eva/boot fs", "a desktop mounts all of a card"


def test_where_names_are_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "resolv.conf"
    lines = (
        "# x",
        "nameserver 192.168.1.1",
        "nameserver fe80::1",
        "domain old.example",
        "search a.example. b.example",
    )
    file.write_text("\n".join((*lines, "")))
    assert read_resolv(file) == (["192.168.1.1", "fe80::1"], ["a.example", "b.example"])
    assert read_resolv(tmp_path / "none") == ([], [])


def test_a_pi_is_known_by_its_serial_number(tmp_path: Path) -> None:
    tree, machine = tmp_path / "serial-number", tmp_path / "machine-id"
    assert serial(tree, machine) == ""
    machine.write_text("c0ffee\n")
    assert serial(tree, machine) == "c0ffee"
    tree.write_bytes(b"10000000abcdef01\0")
    assert serial(tree, machine) == "10000000abcdef01"

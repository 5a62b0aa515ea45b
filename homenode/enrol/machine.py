"""What a provisioning file says of the machine → files for networkd, wpa_supplicant, chrony, sshd (pure)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from typing import Any

from homenode.enrol.places import WIRELESS
from homenode.enrol.provision_file import Machine
from homenode.panel.place import PORT


def files_of(machine: Machine) -> dict[str, str]:
    """Name to text; the edge knows where each goes."""
    found = {}
    wireless = bool(machine.wifi)
    if machine.network or wireless:
        found["10-homenode.network"] = _network(machine.network, wireless)
    if wireless:
        found["wpa_supplicant.conf"] = (
            f'country={machine.wifi["country"]}\nnetwork={{\n  ssid="{machine.wifi["ssid"]}"\n'
            f'  psk="{machine.wifi["password"]}"\n  key_mgmt=WPA-PSK SAE\n  ieee80211w=1\n}}\n'
        )
    if machine.apartment:
        found |= _apartment(**machine.apartment)
    if machine.nts or machine.ntp:
        lines = [f"server {one} iburst nts" for one in machine.nts] + [
            f"server {one} iburst" for one in machine.ntp
        ]
        found["homenode.sources"] = "\n".join(lines) + "\n"
    if machine.service_key:
        found["authorized_keys"] = machine.service_key + "\n"
    return found


def _network(network: Mapping[str, Any], wireless: bool) -> str:
    name = network.get("interface") or (WIRELESS if wireless else "e* usb*")
    lines = ["[Match]", f"Name={name}", "", "[Network]"]
    if network.get("address"):
        lines += [f"Address={network['address']}", *_line("Gateway", network.get("gateway"))]
    else:
        lines.append("DHCP=yes")
    for key, names in (("DNS", network.get("dns")), ("Domains", network.get("domains"))):
        if names:
            lines.append(f"{key}={' '.join(names)}")
    if not network.get("address"):
        lines += ["", "[DHCPv4]", "UseDomains=yes"]  # the office is looked for there
    return "\n".join(lines) + "\n"


def _apartment(interface: str, address: str, dhcp: bool) -> dict[str, str]:
    """The apartment's side: its page is let in, and by it nothing leads out."""
    network = ["[Match]", f"Name={interface}", "", "[Network]", f"Address={address}"]
    network += ["ConfigureWithoutCarrier=yes", "IPv6AcceptRA=no", *(["DHCPServer=yes"] if dhcp else [])]
    network += ["", "[DHCPServer]", "EmitDNS=no", "EmitRouter=no"] if dhcp else []
    host = address.partition("/")[0]
    listen = f"[{host}]:{PORT}" if ":" in host else f"{host}:{PORT}"
    let_in = [f"add element inet homenode apartment {{ {interface} }}"]
    let_in += [f"add rule inet homenode service iifname {interface} udp dport 67 accept"] if dhcp else []
    return {
        "05-homenode-apartment.network": "\n".join(network) + "\n",
        "apartment.nft": "\n".join(let_in) + "\n",
        "panel.env": f"LISTEN={listen}\n",
    }


def _line(name: str, value: object) -> list[str]:
    return [f"{name}={value}"] if value else []


_WHERE = ("network", "wifi", "apartment")
_PARTS = {"network": _WHERE, "apartment": _WHERE, "time": ("nts", "ntp"), "service_key": ("service_key",)}


def taken(old: Machine, new: Machine, named: Collection[str]) -> Machine:
    """`old`, and of `new` what its file names: all addresses with any of them, as they must fit together."""
    parts = {part for section in named for part in _PARTS.get(section, ())}
    return replace(old, **{part: getattr(new, part) for part in parts})


def kept(machine: Machine) -> dict[str, Any]:
    """For JSON."""
    return asdict(machine)


def read_back(said: Mapping[str, Any]) -> Machine:
    """From JSON that `kept` made. Raises KeyError, TypeError."""
    return Machine(
        dict(said["network"]),
        dict(said["wifi"]),
        dict(said.get("apartment", {})),
        tuple(said["nts"]),
        tuple(said["ntp"]),
        said["service_key"],
    )

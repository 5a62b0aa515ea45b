"""A viewer's SDP offer: what is taken of it (pure).

An offer comes from a browser, over people and brokers. Nothing of it goes further than what is known here:
one picture to be received, in H.264 or else VP8, and addresses where a viewer may be. The rest is left out,
so aiortc's reader sees only lines of these forms.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from homenode.video.words import Unfit

LONGEST = 64 * 1024
"""Characters; Chromium's offer to receive one picture has 5,500."""
MOST_CANDIDATES = 32

Form = Literal["h264", "vp8"]
"""How pictures are encoded: what a camera makes itself; what every browser reads."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PRIVATE: tuple[Network, ...] = tuple(
    ipaddress.ip_network(net)
    for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)
"""RFC 1918, RFC 6598 (what operators give to closed links), RFC 4193."""
ANY: tuple[Network, ...] = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))

_ICE = r"[A-Za-z0-9+/]"
_KEPT = tuple(
    re.compile(form, re.ASCII)
    for form in (
        r"a=mid:[\w-]{1,16}",
        rf"a=ice-ufrag:{_ICE}{{4,256}}",
        rf"a=ice-pwd:{_ICE}{{22,256}}",
        r"a=setup:(?:actpass|active|passive)",
        r"a=rtcp-mux",
        r"a=(?:recvonly|sendrecv)",
        r"a=extmap:(?:[1-9]|1[0-4]) (?:urn:ietf:params:rtp-hdrext:sdes:mid|"
        r"http://www\.webrtc\.org/experiments/rtp-hdrext/(?:abs-send-time|playout-delay))",
    )
)
_NEEDED = ("mid", "ice-ufrag", "ice-pwd", "setup")
_FINGERPRINTS = tuple(
    re.compile(
        rf"a=fingerprint:sha-{bits} (?:[0-9A-Fa-f]{{2}}:){{{bits // 8 - 1}}}[0-9A-Fa-f]{{2}}", re.ASCII
    )
    for bits in (512, 384, 256)
)
"""The best first; what a certificate may be known by (RFC 8122; not by SHA-1, which can be forged)."""
MOST_FINGERPRINTS = 4
_NAMED: Mapping[Form, re.Pattern[str]] = {
    "h264": re.compile(r"a=rtpmap:(\d{2,3}) H264/90000", re.ASCII | re.IGNORECASE),
    "vp8": re.compile(r"a=rtpmap:(\d{2,3}) VP8/90000", re.ASCII | re.IGNORECASE),
}
_RTX = re.compile(r"a=rtpmap:(\d{2,3}) rtx/90000", re.ASCII | re.IGNORECASE)
_FORMAT = re.compile(r"a=fmtp:(\d{2,3}) ([\w=;-]{1,200})", re.ASCII)
_FEEDBACK = re.compile(r"a=rtcp-fb:(\d{2,3}) (?:nack|nack pli|goog-remb)", re.ASCII)
_CANDIDATE = re.compile(
    rf"a=candidate:({_ICE}{{1,32}}) 1 udp (\d{{1,10}}) (\S{{1,64}}) (\d{{1,5}}) "
    r"typ (host|srflx|prflx|relay)(?: .*)?",
    re.ASCII | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What is taken of an offer.

    Attributes:
        sdp: In our own words.
        form: Of what it offers the best.
        addresses: Where the viewer says it is, without names and what may not be spoken to.
    """

    sdp: str
    form: Form
    addresses: tuple[str, ...]


def taken(sdp: object, viewers: Sequence[Network] = PRIVATE) -> Offer:
    """Read an offer.

    Args:
        sdp: As it came.
        viewers: Where a viewer may be.

    Raises:
        Unfit: It can't be served; says why.
    """
    if not isinstance(sdp, str):
        raise Unfit("sdp", "no text")
    if len(sdp) > LONGEST:
        raise Unfit("sdp", f"{len(sdp)} characters, at most {LONGEST}")
    lines = sdp.replace("\r\n", "\n").split("\n")
    media = [line for line in lines if line.startswith("m=")]
    if len(media) != 1 or not media[0].startswith("m=video "):
        raise Unfit("sdp", f"{len(media)} streams, where one picture is to be received")
    kept = [line for line in lines if any(form.fullmatch(line) for form in _KEPT)]
    for name in _NEEDED:
        if sum(line.startswith(f"a={name}:") for line in kept) != 1:
            raise Unfit("sdp", f"no readable a={name}")
    kept += _fingerprints(lines)
    form, codecs, payloads = _codecs(lines)
    candidates = tuple(_candidates(lines, viewers))
    mid = next(line for line in kept if line.startswith("a=mid:")).removeprefix("a=mid:")
    head = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE {mid}"]
    stream = [f"m=video 9 UDP/TLS/RTP/SAVPF {' '.join(payloads)}", "c=IN IP4 0.0.0.0"]
    ours = [*head, *stream, *kept, *codecs, *(line for line, _ in candidates)]
    return Offer("\r\n".join(ours) + "\r\n", form, tuple(address for _, address in candidates))


def _fingerprints(lines: Sequence[str]) -> list[str]:
    """Those of the best hash; several are several certificates, of which one is used (RFC 8122, 5)."""
    told = [dict.fromkeys(filter(form.fullmatch, lines)) for form in _FINGERPRINTS]
    best = next(filter(None, told), {})
    if not 1 <= len(best) <= MOST_FINGERPRINTS:
        raise Unfit("sdp", "no readable a=fingerprint")
    return list(best)


def _codecs(lines: Sequence[str]) -> tuple[Form, list[str], list[str]]:
    """The lines on one form and its retransmission, and their payload types."""
    formats = {found[1]: found[2] for line in lines if (found := _FORMAT.fullmatch(line))}
    told: dict[Form, list[str]] = {
        form: [found[1] for line in lines if (found := named.fullmatch(line))]
        for form, named in _NAMED.items()
    }
    told["h264"] = [one for one in told["h264"] if "packetization-mode=1" in formats.get(one, "")]
    form = next((form for form, types in told.items() if types), None)
    if form is None:
        raise Unfit("codec")
    apts = {f"apt={payload}" for payload in told[form]}
    rtx = [found[1] for line in lines if (found := _RTX.fullmatch(line)) and formats.get(found[1]) in apts]
    payloads = list(dict.fromkeys(told[form] + rtx))
    if not all(96 <= int(payload) <= 127 or 35 <= int(payload) <= 63 for payload in payloads):  # RFC 5761
        raise Unfit("sdp", "payload types out of range")
    kinds = (_NAMED[form], _RTX, _FORMAT, _FEEDBACK)
    about = [
        line
        for line in lines
        if any((found := kind.fullmatch(line)) and found[1] in payloads for kind in kinds)
    ]
    return form, about, payloads


def _candidates(lines: Iterable[str], viewers: Sequence[Network]) -> Iterator[tuple[str, str]]:
    """Each line and its address.

    A browser gives its own addresses as `.local` names, which only its own network can resolve: then the
    connection is made from its side. These, and what may not be spoken to, are left out.
    """
    told = [found for line in lines if (found := _CANDIDATE.fullmatch(line))]
    if len(told) > MOST_CANDIDATES:
        raise Unfit("candidates", f"{len(told)} of them, at most {MOST_CANDIDATES}")
    foreign, named, fit = [], 0, 0
    for found in told:
        foundation, priority, address, port, kind = found.groups()
        if address.lower().endswith(".local"):
            named += 1
            continue
        if (
            not _may_be_spoken_to(address, viewers)
            or not 1024 <= int(port) <= 65535
            or int(priority) >= 1 << 31
        ):
            foreign.append(address)
            continue
        fit += 1
        more = " raddr 0.0.0.0 rport 9" if kind.lower() != "host" else ""
        line = f"a=candidate:{foundation} 1 udp {priority} {address} {port} typ {kind.lower()}{more}"
        yield line, address
    if foreign and not named and not fit:
        raise Unfit("candidates", ", ".join(foreign[:3]))


def _may_be_spoken_to(address: str, viewers: Sequence[Network]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if ip.is_multicast or ip.is_loopback or ip.is_unspecified or ip.is_link_local or ip.is_reserved:
        return False
    return any(ip in net for net in viewers if net.version == ip.version)

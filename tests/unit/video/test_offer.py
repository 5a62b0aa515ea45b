"""What is taken of a viewer's SDP, and what is refused in words."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.video.offer import ANY, LONGEST, MOST_CANDIDATES, MOST_FINGERPRINTS, taken
from homenode.video.words import WORDS, Unfit

CHROMIUM = Path(__file__).with_name("chromium.sdp").read_text()
"""Of Chromium 151, asked to receive one picture."""
FIREFOX = Path(__file__).with_name("firefox.sdp").read_text()
"""Of Firefox 153, likewise: it gets its H.264 from Mozilla, and only with a network."""
BARE = re.sub(r"a=candidate:.*\n", "", CHROMIUM)


def _with(*candidates: str) -> str:
    return BARE + "".join(f"a=candidate:{line}\r\n" for line in candidates)


def _host(address: str, port: int = 40000) -> str:
    return f"1 1 udp 2113937151 {address} {port} typ host generation 0 network-cost 999"


def _refused(sdp: object) -> Unfit:
    with pytest.raises(Unfit) as refused:
        taken(sdp)
    return refused.value


def test_chromiums_offer_is_taken_with_h264_only() -> None:
    ours = taken(CHROMIUM).sdp
    assert "H264/90000" in ours
    assert taken(CHROMIUM).form == "h264"
    assert "playout-delay" in ours
    for left in ("VP8", "VP9", "AV1", "transport-cc", ".local", "sctp", "audio"):
        assert left not in ours


def test_nothing_is_taken_that_is_not_known() -> None:
    known = taken(CHROMIUM).sdp
    strange = "a=crypto:1 AES_CM\r\na=fmtp:102 x=<script>\r\na=identity:abc\r\na=ice-options:trickle\r\n"
    assert taken(CHROMIUM + strange).sdp == known


def test_names_are_not_resolved_and_do_no_harm() -> None:
    named = _host("0f2b8a10-1b1e-4d1c-9d52-3a2a70f2a111.local")
    assert taken(_with(named)).addresses == ()
    assert taken(_with(named, _host("192.168.1.7"))).addresses == ("192.168.1.7",)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "224.0.0.251",
        "255.255.255.255",
        "0.0.0.0",
        "169.254.1.1",
        "fe80::1",
        "8.8.8.8",
        "evil.example",
    ],
)
def test_an_offer_from_foreign_addresses_only_is_refused_with_the_address(address: str) -> None:
    refused = _refused(_with(_host(address)))
    assert refused.code == "candidates"
    assert address in refused.what


def test_a_foreign_address_beside_a_fit_one_is_never_spoken_to() -> None:
    offer = taken(_with(_host("8.8.8.8"), _host("10.1.2.3")))
    assert offer.addresses == ("10.1.2.3",)
    assert "8.8.8.8" not in offer.sdp


def test_with_relays_any_address_that_is_one_may_be_spoken_to() -> None:
    offer = taken(_with(_host("8.8.8.8"), _host("127.0.0.1"), _host("224.0.0.1")), ANY)
    assert offer.addresses == ("8.8.8.8",)


def test_viewers_may_be_narrowed_to_the_closed_link() -> None:
    link = [ipaddress.ip_network("10.8.0.0/16")]
    assert taken(_with(_host("10.8.3.4"), _host("192.168.1.1")), link).addresses == ("10.8.3.4",)


@pytest.mark.parametrize("port", [0, 22, 1023, 65536, 99999])
def test_no_port_of_services_is_knocked_at(port: int) -> None:
    assert _refused(_with(_host("10.1.2.3", port))).code == "candidates"


def test_a_thousand_candidates_are_refused() -> None:
    assert _refused(_with(*[_host("10.0.0.1")] * (MOST_CANDIDATES + 1))).code == "candidates"


@pytest.mark.parametrize("sdp", [None, 7, "", "v=0", "x" * (LONGEST + 1), b"v=0", ["v=0"], "\0" * 100])
def test_what_is_no_offer_is_refused(sdp: object) -> None:
    assert _refused(sdp).code == "sdp"


@pytest.mark.parametrize("name", ["mid", "ice-ufrag", "ice-pwd", "setup"])
def test_an_offer_that_lacks_something_or_says_it_twice_is_refused(name: str) -> None:
    line = re.compile(rf"a={name}:.*\n")
    assert name in _refused(line.sub("", CHROMIUM)).what
    twice = line.search(CHROMIUM)
    assert twice
    assert name in _refused(CHROMIUM + twice[0]).what


def _hashed(bits: int, byte: str = "A5") -> str:
    return f"a=fingerprint:sha-{bits} {':'.join([byte] * (bits // 8))}\r\n"


def _fingerprints(*said: str) -> list[str]:
    offer = re.sub(r"a=fingerprint:.*\n", "".join(said), CHROMIUM)
    return [f"{line}\r\n" for line in taken(offer).sdp.splitlines() if "fingerprint" in line]


def test_of_several_fingerprints_the_best_hash_counts_and_each_certificate_of_it() -> None:
    every = [_hashed(256), _hashed(384), _hashed(512)]
    assert _fingerprints(*every) == _fingerprints(*reversed(every)) == [_hashed(512)]
    assert _fingerprints(_hashed(384), _hashed(256)) == [_hashed(384)]
    assert _fingerprints(_hashed(256), _hashed(256, "B6"), _hashed(256)) == [_hashed(256), _hashed(256, "B6")]
    assert _fingerprints(_hashed(160).replace("sha-160", "sha-1"), _hashed(256)) == [_hashed(256)]


@pytest.mark.parametrize(
    "said",
    [
        "",
        _hashed(160).replace("sha-160", "sha-1"),
        _hashed(256).replace("sha-256", "sha-512"),
        _hashed(256)[:-5] + "\r\n",
        "".join(_hashed(256, f"{byte:02X}") for byte in range(MOST_FINGERPRINTS + 1)),
    ],
)
def test_what_no_certificate_can_be_known_by_is_refused(said: str) -> None:
    refused = _refused(re.sub(r"a=fingerprint:.*\n", said, CHROMIUM))
    assert (refused.code, refused.what) == ("sdp", "no readable a=fingerprint")


def test_two_streams_or_sound_are_refused() -> None:
    assert _refused(CHROMIUM + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n").code == "sdp"
    assert _refused(CHROMIUM.replace("m=video", "m=audio")).code == "sdp"


def test_a_browser_without_h264_gets_vp8_and_without_both_is_told_so() -> None:
    for without in (("H264", "H265"), ("packetization-mode=1", "packetization-mode=0")):
        offer = CHROMIUM.replace(*without)
        assert taken(offer).form == "vp8"
        assert _refused(offer.replace("VP8", "VP7")).code == "codec"


def test_firefoxs_offer_is_taken_with_vp8_only() -> None:
    ours = taken(FIREFOX)
    assert ours.form == "vp8"
    assert "VP8/90000" in ours.sdp
    for left in ("VP9", "AV1", "transport-cc", ".local"):
        assert left not in ours.sdp


def test_payload_types_that_mean_something_else_are_refused() -> None:
    assert _refused(re.sub(r":1(\d\d) ", r":\1 ", CHROMIUM)).code == "sdp"


@given(st.lists(st.sampled_from(CHROMIUM.splitlines()), max_size=60), st.text(max_size=200))
def test_whatever_comes_is_taken_or_refused(lines: list[str], more: str) -> None:
    with suppress(Unfit):
        ours = taken("\r\n".join([*lines, more]) + "\r\n").sdp
        assert len(ours.splitlines()) < 100
        assert more.strip() not in ours or len(more.strip()) < 4


def test_everything_is_said_in_both_languages() -> None:
    for code, words in WORDS.items():
        assert len({language.count("{what}") for language in words}) == 1, code
        assert all(language.endswith(".") for language in words)

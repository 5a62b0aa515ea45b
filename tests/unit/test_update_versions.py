"""Versions and orders as they are written."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homenode.configure.signatures import make_pair, read_key
from homenode.errors import Refused
from homenode.update import exception, versions
from homenode.update.course import Course
from homenode.update.machine import Do, step
from homenode.update.order import LARGEST_B, Order, Window, order_of, window_of
from tests.unit.update_course import ORDER, known


@pytest.mark.parametrize(
    ("version", "home", "expires"),
    [
        ("new", "*", "2126-01-01T00:00:00+01:00"),
        ("1.0", "växjö", "2126-01-01T00:00:00+01:00"),
        ("1.0", "", "2126-01-01T00:00:00+01:00"),
        ("1.0", "*", "2020-12-01T00:00:00+01:00"),
        ("1.0", "*", "imorgon"),
    ],
)
def test_an_exception_that_no_home_could_take_is_not_signed(version: str, home: str, expires: str) -> None:
    key = read_key(make_pair()[0], "key", private=True)
    assert exception.sign("1.0", "vaxjo-0412", "2126-01-01T00:00:00+01:00", key)
    with pytest.raises(Refused):
        exception.sign(version, home, expires, key)


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=4), st.lists(st.integers(0, 30), min_size=1, max_size=4)
)
def test_versions_are_ordered_as_numbers(one: list[int], other: list[int]) -> None:
    first, second = ".".join(map(str, one)), ".".join(map(str, other))
    padded = [[*parts, 0, 0, 0, 0][:4] for parts in (one, other)]
    assert versions.is_later(first, second) == (padded[0] > padded[1])
    assert versions.same(first, second) == (padded[0] == padded[1])


def test_versions_before_a_release_are_ordered_as_semver_says() -> None:
    told = "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 1.0.0"
    order = told.split()  # semver 2.0.0, section 11.4
    assert sorted(order, key=versions.key) == order
    assert all(versions.is_later(later, early) for early, later in itertools.pairwise(order))


def test_of_two_builds_of_one_version_the_one_made_later_is_the_later() -> None:
    """As `make image` names what it makes: semver knows no order of builds, a node needs one."""
    told = "0.1.0 0.1.0+20261127.211312.gacda880 0.1.0+20261127.211313.g0000000 0.1.0+20261128.1.g1 0.1.1"
    order = told.split()
    assert sorted(order, key=versions.key) == order
    assert all(versions.is_later(later, early) for early, later in itertools.pairwise(order))
    assert versions.same(order[1], order[1])
    assert not any(versions.same(one, other) for one, other in itertools.pairwise(order))
    running = order[1]
    found = step(Course(highest=running), known(order=replace(ORDER, version=order[2]), running=running))
    assert found.do is Do.LOAD


@pytest.mark.parametrize(
    "text", ["", "1.", ".1", "v1", "1+", "1+a..b", "1..0", "1-", "1.0-ä", "1" * 65, "1\n"]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no version such as"):
        versions.key(text)


def changed(**other: Any) -> Callable[[], Order]:
    return lambda: order_of({**ORDER.record(), **other})


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (changed(url="http://office/b"), "url must begin with https://"),
        (changed(url="https://office"), "url must begin with https://"),
        (changed(url="https://of fice/b"), "url must begin with https://"),
        (changed(url="https://office..example/b"), "url https://office..example/b: .*label empty"),
        (changed(url="https://" + "o" * 70 + "/b"), "label too long"),
        (changed(url="https://office:99999/b"), "Port out of range"),
        (changed(url="https://office:x/b"), "Port could not be cast"),
        (changed(url="https://office:0/b"), "no port 0"),
        (changed(url="https://:443/b"), "it needs a host"),
        (changed(url="https://[::1/b"), "Invalid IPv6"),
        (changed(sha256="0" * 63), "sha256 must be 64"),
        (changed(sha256="A" * 64), "sha256 must be 64"),
        (changed(size=-1), "size must be bytes"),
        (changed(size=1 << 31), "size must be bytes"),
        (changed(window="2:00-04:00"), "window must be HH:MM-HH:MM"),
        (changed(window="02:00-24:00"), "window must be HH:MM-HH:MM"),
        (changed(window="02:00-02:00"), "two different times"),
        (changed(version="new"), "is no version"),
        (lambda: order_of({"id": "1"}), "this is no order"),
    ],
)
def test_an_order_that_is_none_is_told_why(made: Callable[[], Order], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        made()


def test_the_largest_and_the_longest_are_taken() -> None:
    assert order_of({**ORDER.record(), "size": LARGEST_B}).size == LARGEST_B
    assert order_of({**ORDER.record(), "size": 0}).size == 0
    longest = "1.2-" + "a" * 60
    assert len(longest) == versions.LONGEST
    assert order_of({**ORDER.record(), "version": longest}).version == longest
    with pytest.raises(ValueError, match="no version"):
        versions.key(longest + "a")
    assert versions.is_later("0.1", "")
    assert not versions.same("0.1", "")


def test_an_order_is_kept_whole() -> None:
    order = replace(ORDER, window=window_of("23:30-04:05"), size=7, not_before_ms=8, exception="e", by="Ola")
    assert order_of(json.loads(json.dumps(order.record()))) == order
    assert order.window == Window(23 * 60 + 30, 4 * 60 + 5)

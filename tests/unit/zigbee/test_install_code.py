"""Install codes: what is printed, what people type instead, and the one digit that is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.zigbee.install_code import LENGTHS, crc, read_code
from homenode.errors import Refused

CODE = "83FE D340 7A93 9723 A5C6 39B2 6916 D505 C3B5"
"""The example of Base Device Behaviour 1.0, 10.1.1."""
IEEE = "00:15:8d:00:02:aa:bb:01"


def test_the_example_of_the_standard_is_read_and_hashed_as_it_says() -> None:
    util = pytest.importorskip("zigpy.util")
    code, ieee = read_code(CODE, IEEE)
    assert ieee == IEEE
    assert util.convert_install_code(code).serialize().hex() == "66b6900981e1ee3ca4206b6b861c02bb"


@given(st.sampled_from(LENGTHS).flatmap(lambda n: st.binary(min_size=n, max_size=n)), st.data())
def test_one_wrong_digit_is_always_found(code: bytes, data: st.DataObject) -> None:
    digits = (code + crc(code).to_bytes(2, "little")).hex()
    assert read_code(digits, IEEE)[0].hex() == digits
    at = data.draw(st.integers(0, len(digits) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789abcdef" if digit != digits[at]]))
    with pytest.raises(Refused, match="checksum"):
        read_code(digits[:at] + other + digits[at + 1 :], IEEE)


@pytest.mark.parametrize(
    "address", ["00158D0002AABB01", "0x00158d0002aabb01", "00-15-8D-00-02-AA-BB-01", IEEE]
)
def test_the_address_is_taken_as_it_is_printed(address: str) -> None:
    assert read_code(CODE, address)[1] == IEEE


def test_a_scanned_square_has_both() -> None:
    square = "Z:00158D0002AABB01$I:83FED3407A939723A5C639B26916D505C3B5%M:1234"
    assert read_code(square) == read_code(CODE, IEEE)


@pytest.mark.parametrize(
    ("text", "address", "told"),
    [
        (CODE[:-5], IEEE, "checksum, are missing"),
        (CODE.replace("8", "O", 1), IEEE, "no 'O'"),
        ("1234567", IEEE, "this has 7"),
        ("", IEEE, "this has 0"),
        (CODE, "", "whose install code"),
        (CODE, "SN-12345", "is no address"),
    ],
)
def test_what_is_no_install_code_is_told_in_plain_words(text: str, address: str, told: str) -> None:
    with pytest.raises(Refused, match=told) as refused:
        read_code(text, address)
    assert refused.value.do

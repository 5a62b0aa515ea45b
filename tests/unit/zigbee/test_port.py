"""What opening a radio ended with tells a person what to do, and is tried again soon where it ran before."""

from __future__ import annotations

from bellows.exception import InvalidCommandError

from drivers.zigbee.port import explained
from homenode.errors import DriverLost, SetupError


def test_old_firmware_is_named_with_what_it_lacks() -> None:
    fault = InvalidCommandError("getMfgToken command is an invalidCommand, was sent under 48 sequence number")
    told = explained(fault, "/dev/ttyACM0", "ezsp", ran_before=False)
    assert isinstance(told, SetupError)
    assert "firmware doesn't know getMfgToken" in str(told)
    assert "update the stick's firmware" in str(told)


def test_a_stick_that_ran_and_knows_a_command_no_more_was_reset_and_is_tried_again_soon() -> None:
    fault = InvalidCommandError("networkState command is an invalidCommand")
    assert isinstance(explained(fault, "/dev/ttyACM0", "ezsp", ran_before=True), DriverLost)


def test_whatever_else_ends_a_start_says_what_to_do() -> None:
    told = explained(AssertionError(), "/dev/ttyACM0", "ezsp", ran_before=False)
    assert str(told).startswith("/dev/ttyACM0: the radio did not start: AssertionError")
    assert "plug the stick out and in" in str(told)

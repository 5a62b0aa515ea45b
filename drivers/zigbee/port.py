"""What is wrong with a port, said so that a person can do something about it."""

from __future__ import annotations

import errno
import os
import stat

from homenode.errors import DriverLost, HomenodeError, SetupError

_STOP_THE_OTHER = "stop the other node, Home Assistant, …"
_GROUP = "add the user to the group dialout"
_FIRMWARE = "update the stick's firmware (EmberZNet 7.4 or newer)"


def check_port(port: str, *, ran_before: bool) -> None:
    """Raises SetupError, or DriverLost where it ran before and the stick was just unplugged."""
    if "://" in port:
        return
    try:
        mode = os.stat(port).st_mode
    except FileNotFoundError:
        raise _missing(port, ran_before) from None
    except OSError as fault:
        raise SetupError(f"can't be looked at: {fault.strerror}", where=port) from fault
    if not stat.S_ISCHR(mode):
        raise _no_serial(port)
    if not os.access(port, os.R_OK | os.W_OK):
        # right after a stick is plugged in again udev hasn't given it to its group yet
        raise (DriverLost if ran_before else SetupError)(
            "may not be opened by this user", where=port, do=_GROUP
        )


def _no_serial(port: str) -> HomenodeError:
    return SetupError("is not a serial port", where=port, do="name the stick's /dev/serial/by-id/ path")


def _missing(port: str, ran_before: bool) -> HomenodeError:
    if ran_before:
        return DriverLost("the stick is not there", where=port, do="plug it in again")
    return SetupError("there is no such port", where=port, do="plug the stick in; see /dev/serial/by-id")


def explained(fault: BaseException, port: str, adapter: str, *, ran_before: bool) -> HomenodeError:
    """What opening the radio ended with, in our own errors."""
    if isinstance(fault, HomenodeError):
        return fault
    chain = [fault, fault.__cause__, fault.__context__]
    for one in chain:
        if isinstance(one, FileNotFoundError):
            return _missing(port, ran_before)
        if isinstance(one, PermissionError) and "locked" in str(one):
            return SetupError("another program uses it", where=port, do=_STOP_THE_OTHER)
        if isinstance(one, PermissionError):
            return SetupError("may not be opened by this user", where=port, do=_GROUP)
        if isinstance(one, OSError) and one.errno == errno.ENOTTY:
            return _no_serial(port)
        if isinstance(one, OSError) and one.errno in (errno.EBUSY, errno.EAGAIN):
            return SetupError("another program uses it", where=port, do=_STOP_THE_OTHER)
    if type(fault).__name__ in ("CannotWriteNetworkSettings", "DestructiveWriteNetworkSettings"):
        return SetupError(
            "this stick can't take the address of the one that the network was made with",
            where=port,
            do="update its firmware (EmberZNet 7.4 or newer) or take another stick; the old one still works",
        )
    if isinstance(fault, TimeoutError) or type(fault).__name__ in ("NcpFailure", "EzspError"):
        why = f"no {adapter} stick answers"
        do = "check adapter, baud and flow_control; plug the stick out and in"
        return (DriverLost if ran_before else SetupError)(why, where=port, do=do)
    if type(fault).__name__ == "InvalidCommandError":
        command = str(fault).partition(" ")[0]
        why = f"its firmware doesn't know {command}"
        return (DriverLost if ran_before else SetupError)(why, where=port, do=_FIRMWARE)
    refused = next((one for one in chain if isinstance(one, OSError)), None)
    if refused is not None:
        why = f"can't be opened: {refused.strerror or refused}"
        return DriverLost(why, where=port, do="check the cable, or host and port number")
    why = f"the radio did not start: {type(fault).__name__}: {fault}".rstrip(": ")
    firmware = _FIRMWARE if adapter == "ezsp" else "update the stick's firmware"
    return DriverLost(why, where=port, do=f"plug the stick out and in; if that doesn't help, {firmware}")

"""EZSP frames: header, parameters by name, and the differences between protocol versions.

The tables of parameters are bellows' (`bellows.ezsp.vN.commands`), the well-kept ones in Python; what is
sent by the thousand is packed by hand in `ezsp_messages`. Header: Silicon Labs UG100, 3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from bellows import types as t

from homenode.errors import SetupError

if TYPE_CHECKING:
    from homenode.sim.zigbee.coordinator_stick import Stick

VERSIONS = (13, 14, 16, 17, 18, 19)
"""Protocol versions that real sticks have; there is no 15."""

STACK_RELEASE = {13: (7, 4, 1), 14: (8, 0, 2), 16: (8, 1, 0), 17: (8, 2, 0), 18: (9, 0, 0), 19: (9, 1, 0)}
"""EmberZNet release that speaks each protocol version."""

NEW = 14
"""From this version on a status is an sl_status_t of 4 bytes, and stands first."""

MESH = 2
"""Stack type in the answer to `version`."""

INVALID_COMMAND = 0x0058
_RESPONSE, _CALLBACK = 0x80, 0x90
_EXTENDED = 0x01
_ZEROS = bytes(64)

Status = t.sl_Status
"""What handlers answer with, whatever the version; put on the wire as that version has it."""

_EMBER = {
    Status.OK: t.EmberStatus.SUCCESS,
    Status.FAIL: t.EmberStatus.ERR_FATAL,
    Status.INVALID_PARAMETER: t.EmberStatus.BAD_ARGUMENT,
    Status.INVALID_STATE: t.EmberStatus.INVALID_CALL,
    Status.NOT_FOUND: t.EmberStatus.NOT_FOUND,
    Status.INVALID_INDEX: t.EmberStatus.INDEX_OUT_OF_RANGE,
    Status.NOT_JOINED: t.EmberStatus.NOT_JOINED,
    Status.NETWORK_UP: t.EmberStatus.NETWORK_UP,
    Status.NETWORK_DOWN: t.EmberStatus.NETWORK_DOWN,
    Status.ZIGBEE_NETWORK_OPENED: t.EmberStatus.NETWORK_OPENED,
    Status.ZIGBEE_NETWORK_CLOSED: t.EmberStatus.NETWORK_CLOSED,
    Status.ZIGBEE_CHANNEL_CHANGED: t.EmberStatus.CHANNEL_CHANGED,
    Status.ZIGBEE_DELIVERY_FAILED: t.EmberStatus.DELIVERY_FAILED,
    Status.MESSAGE_TOO_LONG: t.EmberStatus.MESSAGE_TOO_LONG,
    Status.FULL: t.EmberStatus.TABLE_FULL,
    Status.NOT_SUPPORTED: t.EmberStatus.LIBRARY_NOT_PRESENT,
    Status.NO_MORE_RESOURCE: t.EmberStatus.NO_BUFFERS,
    Status.TRANSMIT_INVALID_CHANNEL: t.EmberStatus.PHY_INVALID_CHANNEL,
}
_EZSP = {
    Status.OK: t.EzspStatus.SUCCESS,
    Status.INVALID_INDEX: t.EzspStatus.ERROR_INVALID_ID,
    Status.INVALID_STATE: t.EzspStatus.ERROR_INVALID_CALL,
    Status.NO_MORE_RESOURCE: t.EzspStatus.ERROR_OUT_OF_MEMORY,
}


Handler = Callable[["Stick", Mapping[str, Any]], Mapping[str, Any]]
"""What does a command: given the stick and the parameters by name, it returns the answer's by name."""


class Handlers(dict[str, Handler]):
    """Handlers by the name of their command."""

    def does(self, name: str) -> Callable[[Handler], Handler]:
        """Decorator: this function does the command `name`."""

        def register(handler: Handler) -> Handler:
            self[name] = handler
            return handler

        return register


_FROM_14: dict[str, tuple[int, Any, Any]] = {
    "getEndpointCount": (0x012F, {}, {"count": t.uint8_t}),
    "getEndpoint": (0x012E, {"index": t.uint8_t}, {"endpoint": t.uint8_t}),
    "getManufacturerCode": (0x00CA, {}, {"code": t.uint16_t}),
    "getPermitJoining": (0x011F, {}, {"open": t.Bool}),
    "getExtendedPanId": (0x0127, {}, {"extendedPanId": t.EUI64}),
    "getCurrentNetwork": (0x014E, {}, {"index": t.uint8_t}),
    "setNwkUpdateId": (0x011D, {"id": t.uint8_t, "whenOnNetwork": t.Bool}, {"status": Status}),
    "importTransientKey": (0x0111, {"eui64": t.EUI64, "plaintext_key": t.KeyData}, {"status": Status}),
}
"""Commands of protocol 14 and later that bellows' tables lack, or have with a field too many.

Source: zigbee-herdsman's ember adapter, src/adapter/ember/ezsp/ezsp.ts.
"""


@dataclass(frozen=True, slots=True)
class Request:
    """A command of the host. `short`: in the three-byte header that only `version` may have."""

    sequence: int
    command: int
    parameters: bytes
    short: bool = False


class BadFrame(Exception):
    """The host's frame can't be understood; `reason` is the EZSP status to answer with."""

    def __init__(self, request: Request, reason: int) -> None:
        super().__init__(f"command 0x{request.command:04x}: EZSP status 0x{reason:02x}")
        self.request, self.reason = request, reason


def parse(frame: bytes) -> Request | None:
    """A command frame; None if it is too short or no command.

    A frame whose third byte is 0 is a `version` command with the header of old protocols: the one
    frame that a host sends before it knows which protocol it talks to.
    """
    if len(frame) < 3 or frame[1] & 0x80:
        return None
    if frame[2] == 0:
        return Request(frame[0], 0, frame[3:], short=True)
    if len(frame) < 5 or frame[2] & 3 != _EXTENDED:
        return None
    return Request(frame[0], int.from_bytes(frame[3:5], "little"), frame[5:])


def callback_header(sequence: int, command: int) -> bytes:
    """Header of an asynchronous callback; `sequence` is that of the last command answered."""
    return bytes((sequence, _CALLBACK, _EXTENDED)) + command.to_bytes(2, "little")


class Dialect:
    """One protocol version: names and parameters of its commands.

    Raises:
        SetupError: There is no such version.
    """

    def __init__(self, version: int) -> None:
        if version not in VERSIONS:
            raise SetupError(
                f"no stick speaks EZSP {version}", do=f"choose one of {', '.join(map(str, VERSIONS))}"
            )
        self.version = version
        self.new = version >= NEW
        commands = import_module(f"bellows.ezsp.v{version}.commands").COMMANDS
        self.table: dict[str, tuple[int, Any, Any]] = commands | (_FROM_14 if self.new else {})
        self.names = {number: name for name, (number, _, _) in self.table.items()}

    def arguments(self, request: Request) -> dict[str, Any]:
        """Parameters by name. What follows the last one is ignored, as sticks do.

        Raises:
            BadFrame: Too few bytes.
        """
        schema = self.table[self.names[request.command]][1]
        try:
            if isinstance(schema, dict):
                return dict(t.deserialize_dict(request.parameters, schema)[0])
            return {}
        except ValueError as error:
            raise BadFrame(request, t.EzspStatus.ERROR_TRUNCATED) from error

    def parameters(self, name: str, values: Mapping[str, Any]) -> bytes:
        """What stands behind the header of a response or callback; what isn't given is zero."""
        schema = self.table[name][2]
        if isinstance(schema, tuple):
            return b""
        if not isinstance(schema, dict):  # a struct with optional fields
            given = {
                field.name: _as(field.type, values[field.name])
                for field in schema.fields
                if field.name in values
            }
            return bytes(schema(**given).serialize())
        return b"".join(
            _as(type_, values[field]).serialize()
            if field in values
            else type_.deserialize(_ZEROS)[0].serialize()
            for field, type_ in schema.items()
        )

    def response(self, request: Request, parameters: bytes) -> bytes:
        """The answer to a command."""
        if request.short:
            return bytes((request.sequence, _RESPONSE, request.command)) + parameters
        head = bytes((request.sequence, _RESPONSE, _EXTENDED))
        return head + request.command.to_bytes(2, "little") + parameters

    def invalid(self, request: Request, reason: int) -> bytes:
        """The answer to what isn't understood."""
        status = reason.to_bytes(4 if self.new else 1, "little")
        if request.short:
            return bytes((request.sequence, _RESPONSE, INVALID_COMMAND)) + reason.to_bytes(1, "little")
        head = bytes((request.sequence, _RESPONSE, _EXTENDED))
        return head + INVALID_COMMAND.to_bytes(2, "little") + status

    def callback(self, sequence: int, name: str, values: Mapping[str, Any]) -> bytes:
        """A callback frame."""
        return callback_header(sequence, self.table[name][0]) + self.parameters(name, values)

    def status(self, status: Any) -> bytes:
        """A stack status as it stands in hand-packed frames."""
        value: bytes = (status if self.new else _EMBER.get(status, t.EmberStatus.ERR_FATAL)).serialize()
        return value


def _as(type_: Any, value: Any) -> Any:
    """A value as the wire type of a parameter."""
    if isinstance(value, Status):
        if type_ is t.EmberStatus:
            return _EMBER.get(value, t.EmberStatus.ERR_FATAL)
        if type_ is t.EzspStatus:
            return _EZSP.get(value, t.EzspStatus.ERROR_INVALID_VALUE)
        if type_ is not Status:
            return type_(value is Status.OK)
    if isinstance(value, type_):
        return value
    if isinstance(value, bytes) and issubclass(type_, (t.EUI64, t.KeyData)):
        return type_.deserialize(value)[0]
    if isinstance(value, int) and issubclass(type_, t.EUI64):
        return type_.deserialize(value.to_bytes(8, "little"))[0]
    return type_(value)

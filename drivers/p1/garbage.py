"""Why no telegram comes, from what came instead (pure)."""

from __future__ import annotations

from drivers.p1.telegram import Telegram

FEW = 20
"""Bytes that say nothing: a cable that is plugged in makes as many."""
_SAMPLE = 4_096


class Heap:
    """What came since the last sound telegram."""

    def __init__(self) -> None:
        self.sample = b""
        self.bytes = self.telegrams = self.unsigned = 0

    def add(self, data: bytes) -> None:
        """All that comes; the beginning is kept."""
        self.bytes += len(data)
        self.sample += data[: _SAMPLE - len(self.sample)]

    def telegram(self, telegram: Telegram) -> None:
        """One that has an end."""
        self.telegrams += 1
        self.unsigned += telegram.crc is None

    def explained(self, baud: int, since_s: float, cut_off: int) -> tuple[str, str]:
        """What was found, and what to do."""
        long = f"{since_s:g} s"
        if self.bytes < FEW:
            return (
                f"the meter is silent: no telegram for {long}",
                "plug the cable into the meter's P1/HAN port; the grid company switches it on",
            )
        if self.unsigned and self.unsigned == self.telegrams:
            return (
                f"{self.unsigned} telegrams in {long} without a checksum (DSMR 2 or 3)",
                "such a meter can't be used; ask the grid company for a newer one",
            )
        if self.telegrams:
            return (
                f"{self.telegrams} telegrams in {long}, none with its checksum right and a value in it",
                "use a shorter cable, one that inverts the line and has its own pull-up resistor",
            )
        if self.sample.count(b"\x7e\xa0") >= 1 and self._readable() < 0.9:
            return (
                f"{self.bytes} bytes in {long} that are DLMS frames and no text",
                "ask the grid company to have the port send P1 telegrams",
            )
        if self._readable() < 0.9:
            other = 9600 if baud != 9600 else 115200
            return (
                f"{self.bytes} bytes in {long} that make no text at {baud} baud",
                f"set baud: {other} under radios:; if that doesn't help, use a cable that inverts the line",
            )
        return (
            f"{self.bytes} bytes of text in {long} and no whole telegram ({cut_off} cut off)",
            "check that the cable goes to the P1/HAN port, and its contacts",
        )

    def _readable(self) -> float:
        """How much of it is what a telegram is made of."""
        good = sum(0x20 <= byte < 0x7F or byte in b"\r\n" for byte in self.sample)
        return good / max(1, len(self.sample))

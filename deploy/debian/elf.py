"""Shared libraries of any architecture, read and changed as bytes (ELF64, little-endian; gABI 4 and 5)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

_PT_LOAD, _PT_DYNAMIC = 1, 2
_NEEDED, _STRTAB, _SYMTAB = 1, 5, 6
_VERSYM, _VERNEED, _VERNEEDNUM = 0x6FFFFFF0, 0x6FFFFFFE, 0x6FFFFFFF
_HASH, _GNU_HASH = 4, 0x6FFFFEF5
_WEAK = 2
_UNVERSIONED = 1
_SYM = struct.Struct("<IBBHQQ")
_DYN = struct.Struct("<QQ")
_VERN = struct.Struct("<HHIII")


class Library:
    """One of them."""

    def __init__(self, data: bytes) -> None:
        self.data = bytearray(data)
        if self.data[:6] != b"\x7fELF\x02\x01":
            raise ValueError("no ELF64 of little-endian")
        (at,) = struct.unpack_from("<Q", self.data, 32)
        size, count = struct.unpack_from("<HH", self.data, 54)
        self._loads: list[tuple[int, int, int]] = []
        self._dynamic = 0
        for nth in range(count):
            kind, _, offset, address, _, in_file, _, _ = struct.unpack_from(
                "<IIQQQQQQ", self.data, at + nth * size
            )
            if kind == _PT_LOAD:
                self._loads.append((address, in_file, offset))
            elif kind == _PT_DYNAMIC:
                self._dynamic = offset

    @property
    def needed(self) -> list[str]:
        """What is loaded when it is."""
        return [self._string(value) for tag, value in self._entries() if tag == _NEEDED]

    def defined(self) -> set[str]:
        """The symbols that others may use."""
        return {name for _, name, section in self._symbols() if section}

    def without(self, gone: set[str], symbols: set[str]) -> bytes:
        """It, not loading `gone` any more.

        Args:
            gone: Names of libraries.
            symbols: What they define: not found any more, and who calls one ends.
        """
        versions = self._value(_VERSYM)
        for nth, name, section in list(self._symbols()):
            if not section and name in symbols:
                info = self._offset(self._value(_SYMTAB)) + nth * _SYM.size + 4
                self.data[info] = _WEAK << 4 | self.data[info] & 15
                struct.pack_into("<H", self.data, self._offset(versions) + nth * 2, _UNVERSIONED)
        self._forget_versions(gone)
        kept = [
            (tag, value)
            for tag, value in self._entries()
            if tag != _NEEDED or self._string(value) not in gone
        ]
        kept += [(0, 0)] * (len(list(self._entries())) - len(kept))
        for nth, entry in enumerate(kept):
            _DYN.pack_into(self.data, self._dynamic + nth * _DYN.size, *entry)
        return bytes(self.data)

    def _forget_versions(self, gone: set[str]) -> None:
        """The loader wants each library whose versions are asked for to be loaded."""
        asked = [(at, name) for at, name in self._versions() if name not in gone]
        before = 0
        for at, _ in asked:
            if before:
                struct.pack_into("<I", self.data, before + 12, at - before)
            before = at
        if before:
            struct.pack_into("<I", self.data, before + 12, 0)
        for nth, (tag, value) in enumerate(self._entries()):
            if tag == _VERNEED and asked:
                value += asked[0][0] - self._offset(value)
            elif tag == _VERNEEDNUM:
                value = len(asked)
            _DYN.pack_into(self.data, self._dynamic + nth * _DYN.size, tag, value)

    def _versions(self) -> list[tuple[int, str]]:
        found = []
        if address := self._value(_VERNEED):
            at, step = self._offset(address), 1
            while step:
                _, _, file, _, step = _VERN.unpack_from(self.data, at)
                found.append((at, self._string(file)))
                at += step
        return found

    def _entries(self) -> Iterator[tuple[int, int]]:
        at = self._dynamic
        while True:
            tag, value = _DYN.unpack_from(self.data, at)
            if not tag:
                return
            yield tag, value
            at += _DYN.size

    def _value(self, wanted: int) -> int:
        return next((value for tag, value in self._entries() if tag == wanted), 0)

    def _offset(self, address: int) -> int:
        return next(
            offset + address - begin for begin, size, offset in self._loads if 0 <= address - begin < size
        )

    def _string(self, at: int) -> str:
        begin = self._offset(self._value(_STRTAB)) + at
        return self.data[begin : self.data.index(0, begin)].decode()

    def _symbols(self) -> Iterator[tuple[int, str, int]]:
        """Number, name and section (0: another library's)."""
        begin = self._offset(self._value(_SYMTAB))
        for nth in range(self._symbol_count()):
            name, _, _, section, _, _ = _SYM.unpack_from(self.data, begin + nth * _SYM.size)
            yield nth, self._string(name), section

    def _symbol_count(self) -> int:
        if address := self._value(_HASH):
            return self._word(self._offset(address) + 4)
        at = self._offset(self._value(_GNU_HASH))
        buckets, first, bloom, _ = struct.unpack_from("<IIII", self.data, at)
        at += 16 + bloom * 8
        last = max(self._word(at + nth * 4) for nth in range(buckets))
        chains = at + buckets * 4
        while last >= first and not self._word(chains + (last - first) * 4) & 1:
            last += 1
        return int(max(last + 1, first))

    def _word(self, at: int) -> int:
        return int.from_bytes(self.data[at : at + 4], "little")


def needs(file: Path) -> list[str]:
    """What a library loads when it is loaded."""
    return Library(file.read_bytes()).needed

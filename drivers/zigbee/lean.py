"""Keeps out of memory what zigpy needs only for updating the firmware of devices and for Green Power.

zigpy imports aiohttp, jsonschema and cryptography when it is imported: 18 MB and 0.2 s of a node that
uses none of them. `keep_lean` puts a module in their place that imports the real one when it is first
used, so that unmodified zigpy works as ever. Measured with /proc/self/smaps_rollup and -X importtime.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

_WHOLE = ("aiohttp", "jsonschema")
"""Used only inside functions of zigpy.ota.providers."""

_UNUSED = ("zigpy.ota.providers", "zigpy.zcl.clusters.protocol")
"""Where firmware comes from, and BACnet: 0.1 s and 4 MB to import, and nobody here asks for them."""

_CLUSTERS = {
    **dict.fromkeys(range(0x0100, 0x0104), "closures"),
    **dict.fromkeys(range(0x0200, 0x0205), "hvac"),
    **dict.fromkeys(range(0x0300, 0x0302), "lighting"),
    **dict.fromkeys(range(0x0700, 0x070B), "smartenergy"),
    0x0800: "smartenergy",
    0xFC57: "wwah",
}
"""zigpy's modules that are imported when a device with one of their clusters occurs: 40 ms and 2 MB."""

_CRYPTO = "cryptography"
_CRYPTO_NAMES = {
    "cryptography": (),
    "cryptography.exceptions": ("InvalidTag",),
    "cryptography.hazmat": (),
    "cryptography.hazmat.primitives": (),
    "cryptography.hazmat.primitives.ciphers": ("Cipher",),
    "cryptography.hazmat.primitives.ciphers.aead": ("AESCCM",),
    "cryptography.hazmat.primitives.ciphers.algorithms": ("AES",),
    "cryptography.hazmat.primitives.ciphers.modes": ("ECB",),
}
"""What zigpy imports of it, by name, when it is imported itself (zigpy.util, zigpy.device, zigpy.zgp)."""


class _Later(ModuleType):
    """A module that becomes the real one at the first use of anything in it."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__version__":
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), name)


class InvalidTag(Exception):
    """A message whose authentication failed; stands for cryptography's own, which it is raised from."""


def _stands_in(module: str) -> bool:
    found = sys.modules.get(module)
    return isinstance(found, _Later) or (found is not None and "stands_in" in vars(found))


def _real(module: str, name: str) -> Any:
    """A name of the real package, with the stand-ins out of the way."""
    for stand_in in _CRYPTO_NAMES:
        if _stands_in(stand_in):
            del sys.modules[stand_in]
    return getattr(importlib.import_module(module), name)


class _Name:
    """A class of the real package, imported when it is first called or looked into."""

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def __call__(self, *args: Any, **options: Any) -> Any:
        return _real(self._module, self._name)(*args, **options)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(_real(self._module, self._name), attribute)


class _AesCcm:
    """AES-CCM of the real package, made when it is first needed."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._real = _real("cryptography.hazmat.primitives.ciphers.aead", "AESCCM")(*args, **options)
        self._refused = _real("cryptography.exceptions", "InvalidTag")

    def encrypt(self, *args: Any) -> bytes:
        """As the real one."""
        encrypted: bytes = self._real.encrypt(*args)
        return encrypted

    def decrypt(self, *args: Any) -> bytes:
        """As the real one; raises the InvalidTag that zigpy has imported."""
        try:
            decrypted: bytes = self._real.decrypt(*args)
        except self._refused as refused:
            raise InvalidTag(*refused.args) from refused
        return decrypted


class _Registry(dict[int, Any]):
    """zigpy's clusters by their id."""

    def __contains__(self, cluster_id: object) -> bool:
        module = _CLUSTERS.get(cluster_id)  # type: ignore[call-overload]  # whatever is asked for
        if module is not None:
            importlib.import_module(f"zigpy.zcl.clusters.{module}")
        return super().__contains__(cluster_id)


def _modules() -> set[str]:
    return {*_UNUSED, *(f"zigpy.zcl.clusters.{module}" for module in _CLUSTERS.values())}


def keep_lean() -> None:
    """To be called before zigpy is imported; changes nothing that somebody has already imported."""
    if "zigpy" in sys.modules:
        return
    for name in _WHOLE:
        if name not in sys.modules and importlib.util.find_spec(name) is not None:
            sys.modules[name] = _Later(name)
    for name in _modules():
        sys.modules.setdefault(name, _Later(name))
    if _CRYPTO in sys.modules:
        return
    for module, names in _CRYPTO_NAMES.items():
        stand_in = ModuleType(module)
        stand_in.__dict__["stands_in"] = True
        stand_in.__path__ = []
        for name in names:
            stand_in.__dict__[name] = {"InvalidTag": InvalidTag, "AESCCM": _AesCcm}.get(
                name, _Name(module, name)
            )
        sys.modules[module] = stand_in


def forget_stand_ins() -> None:
    """To be called after zigpy was imported: whoever imports cryptography now gets the real one."""
    from zigpy.zcl import Cluster

    Cluster._registry = _Registry(Cluster._registry)
    for module in (*_CRYPTO_NAMES, *_WHOLE, *_modules()):
        if _stands_in(module):
            del sys.modules[module]

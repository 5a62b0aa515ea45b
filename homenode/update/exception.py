"""The operator's exception: a JWS that lets an older version in (compact serialization, RFC 7515, 7.1).

It is signed as that and as nothing else (``typ``): a signature on a configuration is none on this.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from homenode.config.model import HOME_ID
from homenode.configure.signatures import Key, read_key_file
from homenode.contract.plain_json import read_json
from homenode.contract.times import wall_ms
from homenode.errors import Refused, SetupError
from homenode.gateway.clock import Clock
from homenode.update import versions
from homenode.update.order import Order

TYPE = "homenode-update-exception"
ANY = "*"
"""For every home."""


def sign(version: str, home: str, expires: str, key: Key) -> str:
    """An exception for `home` (or `ANY`) until `expires`.

    Raises:
        Refused: There is no such version, home or time, or it is over.
    """
    from joserfc import jws

    try:
        versions.key(version)
        over = wall_ms(expires) <= Clock().wall()
    except (ValueError, OverflowError) as error:
        raise Refused(
            f"{version}, {expires}: {error}", do="such as 0.2.0, 2026-12-01T00:00:00+01:00"
        ) from error
    if home != ANY and not re.fullmatch(HOME_ID, home):
        raise Refused(f"{home!r} is no home", do="give the id that its home.yaml has, such as vaxjo-0412")
    if over:
        raise Refused(f"{expires} is over", do="give a later time")
    payload = json.dumps({"version": version, "home": home, "expires": expires}).encode()
    head = {"alg": key.alg, "typ": TYPE}
    return str(jws.serialize_compact(head, payload, key.key, registry=_registry(key)))


def why_not(order: Order, key: Path, now_ms: int | None) -> str:
    """Why the order's exception doesn't hold, "" if it does or there is none.

    Args:
        order: With the JWS.
        key: The operator's public key, in PEM.
        now_ms: The wall clock; None while it can't be trusted.
    """
    return _why_not(order, now_ms, lambda text: _verified(text, read_key_file(key)))


def why_never(order: Order, now_ms: int) -> str:
    """Why no node would take the order's exception, as far as that is seen without the operator's key and
    whatever the order's home; "" if one might, or there is none.
    """
    return _why_not(order, now_ms, _unverified, anywhere=True)


def _why_not(
    order: Order, now_ms: int | None, claims_of: Callable[[str], dict[str, Any]], *, anywhere: bool = False
) -> str:
    if not order.exception:
        return ""
    try:
        claims = claims_of(order.exception)
        version, home, expires = (str(claims[name]) for name in ("version", "home", "expires"))
        expires_ms = wall_ms(expires)
        named = versions.same(order.version, version)
    except SetupError as error:
        return str(error)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        return f"{type(error).__name__}: {error}"
    if not named:
        return f"it is for version {version}"
    if home not in (ANY, order.home) and not anywhere:
        return f"it is for {home}"
    if now_ms is None:
        return "the clock is not set"
    return "" if now_ms < expires_ms else f"it expired {expires}"


def _verified(text: str, key: Key) -> dict[str, Any]:
    """The claims, their signature having been checked. Raises ValueError."""
    from joserfc import jws
    from joserfc.errors import JoseError

    try:
        found = jws.deserialize_compact(text.strip(), key.key, registry=_registry(key))
    except JoseError as error:
        raise ValueError(str(error)) from error
    return _claims(found.headers(), found.payload or b"null")


def _unverified(text: str) -> dict[str, Any]:
    """The claims, whoever signed. Raises ValueError."""
    parts = text.strip().split(".")
    if len(parts) != 3:
        raise ValueError("it is none that homenode update --allow prints")
    head, payload, _ = (b64decode(part + "=" * (-len(part) % 4), b"-_", validate=True) for part in parts)
    said = read_json(head)
    return _claims(said if isinstance(said, dict) else {}, payload)


def _claims(head: Mapping[str, Any], payload: bytes) -> dict[str, Any]:
    if head.get("typ") != TYPE:
        raise ValueError(f"it is signed as something else than {TYPE}")
    claims = read_json(payload)
    if not isinstance(claims, dict):
        raise ValueError("its payload is no object")
    return claims


def _registry(key: Key) -> Any:
    """Of the one algorithm that the key is for."""
    from joserfc.jws import JWSRegistry

    return JWSRegistry(algorithms=[key.alg], strict_check_header=True)

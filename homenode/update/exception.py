"""The operator's exception: a JWS that lets an older version in. Needs the extra ``update``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from homenode.contract.times import wall_ms
from homenode.errors import SetupError
from homenode.update import versions
from homenode.update.order import Order

ALGORITHMS = ("EdDSA", "Ed25519", "ES256")


def why_not(order: Order, key: Path, now_ms: int | None) -> str:
    """Why the order's exception doesn't hold, "" if it does or there is none.

    Args:
        order: With the JWS: its payload is ``{"version", "home" (or "*"), "expires"}``.
        key: The operator's public key, in PEM.
        now_ms: The wall clock; None while it can't be trusted.

    Raises:
        SetupError: The extra is not installed.
    """
    if not order.exception:
        return ""
    try:
        claims = _claims(order.exception, key.read_bytes())
        version, home, expires = (str(claims[name]) for name in ("version", "home", "expires"))
        expires_ms = wall_ms(expires)
        named = versions.same(order.version, version)
    except OSError as error:
        return f"{key.name}: {error.strerror}"
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        return f"{type(error).__name__}: {error}"
    if not named:
        return f"it is for version {version}"
    if home not in ("*", order.home):
        return f"it is for {home}"
    if now_ms is None:
        return "the clock is not set"
    return "" if now_ms < expires_ms else f"it expired {expires}"


def _claims(text: str, pem: bytes) -> dict[str, Any]:
    """The payload, its signature having been checked. Raises ValueError."""
    try:
        from joserfc import jws
        from joserfc.errors import JoseError
        from joserfc.jwk import ECKey, OKPKey
    except ImportError as error:
        raise SetupError(
            "updates: needs a library that is not installed", do="pip install 'homenode[update]'"
        ) from error
    registry = jws.JWSRegistry(algorithms=list(ALGORITHMS))
    try:
        key: OKPKey | ECKey
        try:
            key = OKPKey.import_key(pem)
        except (JoseError, ValueError, TypeError):
            key = ECKey.import_key(pem)
        if text.lstrip().startswith("{"):
            payload = jws.deserialize_json(json.loads(text), key, registry=registry).payload
        else:
            payload = jws.deserialize_compact(text.strip(), key, registry=registry).payload
    except JoseError as error:
        raise ValueError(str(error)) from error
    claims = json.loads(payload or b"null")
    if not isinstance(claims, dict):
        raise ValueError("its payload is no object")
    return claims

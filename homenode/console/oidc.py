"""Signing in by OpenID Connect: authorization code with PKCE; whom a provider says that somebody is.

What must not be got wrong, signatures and claims, is joserfc's. The three requests are a few lines of urllib.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from homenode.console.settings import Provider
from homenode.console.sign_pages import FLOW_S
from homenode.errors import Refused

PATIENCE_S = 10.0
MOST_B = 256 * 1024
MOST_FLOWS = 1_000
LEEWAY_S = 60
"""That clocks may differ by."""
FRESH_MS = 60_000
"""Until what the provider says of itself is asked again: who is sent to one that is down is lost there."""
SIGNED_BY = ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"]
"""Never by a secret that both have, and never by nobody."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One sign-in under way."""

    state: str
    nonce: str
    verifier: str
    until: int


@dataclass(frozen=True, slots=True)
class Known:
    """Whom the provider says it is."""

    id: str
    name: str
    roles: tuple[str, ...]


class Elsewhere:
    """The provider."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._flows: dict[str, Flow] = {}
        self._about: dict[str, Any] = {}
        self._asked = 0

    async def begin(self, back: str, now: int) -> tuple[str, str]:
        """A token for the browser's cookie, and where to send it.

        Raises:
            Refused: The provider can't be asked.
        """
        about = await self._discovered(now)
        token, state, nonce, verifier = (secrets.token_urlsafe(36) for _ in range(4))
        flow = Flow(state, nonce, verifier, now + 1000 * FLOW_S)
        self._flows[token] = flow
        while len(self._flows) > MOST_FLOWS:
            del self._flows[next(iter(self._flows))]
        challenge = base64.urlsafe_b64encode(hashlib.sha256(flow.verifier.encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code", "client_id": self._provider.client_id, "redirect_uri": back,
            "scope": self._provider.scope, "state": flow.state, "nonce": flow.nonce,
            "code_challenge": challenge.decode(), "code_challenge_method": "S256",
        }  # fmt: skip
        return token, f"{about['authorization_endpoint']}?{urlencode(asked)}"

    async def end(self, token: str, said: Mapping[str, str], back: str, now: int) -> Known:
        """Whom it was, from what the browser brought back.

        Raises:
            Refused: Anything is not as it should be.
        """
        flow = self._flows.pop(token, None)
        if flow is None or now >= flow.until or not secrets.compare_digest(said.get("state", ""), flow.state):
            raise Refused("oidc_stale")
        if said.get("iss", self._provider.issuer).rstrip("/") != self._provider.issuer:
            raise Refused("oidc_failed", where="another issuer")
        if "code" not in said:
            raise Refused("oidc_failed", where=said.get("error", "no code")[:100])
        about = await self._discovered(now)
        asked = {
            "grant_type": "authorization_code", "code": said["code"], "redirect_uri": back,
            "code_verifier": flow.verifier,
        }  # fmt: skip
        pair = f"{quote(self._provider.client_id, safe='')}:{quote(self._provider.secret, safe='')}"
        basic = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        tokens = await _fetch(about["token_endpoint"], urlencode(asked).encode(), basic)
        claims = await self._claims(str(tokens.get("id_token", "")), flow, about)
        if self._provider.groups not in claims and "userinfo_endpoint" in about:
            bearer = {"Authorization": f"Bearer {tokens.get('access_token', '')}"}
            more = await _fetch(about["userinfo_endpoint"], None, bearer)
            if more.get("sub") != claims["sub"]:
                raise Refused("oidc_failed", where="userinfo of somebody else")
            claims = {**more, **claims}
        return self._known(claims)

    async def out(self, now: int) -> str:
        """Where one signs out there, too; "" if it doesn't say or doesn't answer."""
        try:
            about = await self._discovered(now)
        except Refused:
            return ""
        end = str(about.get("end_session_endpoint", ""))
        if not end.startswith(("https://", "http://")):
            return ""
        return f"{end}?{urlencode({'client_id': self._provider.client_id})}"

    async def _claims(self, token: str, flow: Flow, about: Mapping[str, Any]) -> dict[str, Any]:
        """What the token says, if the provider signed it, now, for us, in this flow."""
        keys = await _fetch(about["jwks_uri"])
        try:
            read = jwt.decode(token, KeySet.import_key_set(keys), algorithms=SIGNED_BY)  # type: ignore[arg-type] # KeySet is one
            jwt.JWTClaimsRegistry(
                leeway=LEEWAY_S,
                iss={"essential": True, "value": about["issuer"]},
                aud={"essential": True, "value": self._provider.client_id},
                exp={"essential": True},
                iat={"essential": True},
                sub={"essential": True},
                nonce={"essential": True, "value": flow.nonce},
            ).validate(read.claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise Refused("oidc_failed", where=f"{type(error).__name__}: {error}") from error
        if read.claims.get("azp", self._provider.client_id) != self._provider.client_id:
            raise Refused("oidc_failed", where="a token for another client")
        return dict(read.claims)

    def _known(self, claims: Mapping[str, Any]) -> Known:
        groups = claims.get(self._provider.groups, ())
        names = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        roles = [role for name in names for role in self._provider.roles.get(str(name), ())]
        if not roles:
            name = self._provider.groups
            found = f"{name}: {', '.join(map(str, names))[:200]}" if names else f"no claim {name}"
            do = "oidc.roles names none of them" if names else "oidc.scope or the provider leaves it out"
            raise Refused("no_role", where=found, do=do)
        shown = claims.get("name") or claims.get("preferred_username") or claims["sub"]
        return Known(f"{self._provider.issuer} {claims['sub']}", str(shown)[:80], tuple(dict.fromkeys(roles)))

    async def _discovered(self, now: int) -> dict[str, Any]:
        """What the provider says of itself."""
        if not self._about or now >= self._asked + FRESH_MS:
            about = await _fetch(f"{self._provider.issuer}/.well-known/openid-configuration")
            if str(about.get("issuer", "")).rstrip("/") != self._provider.issuer:
                raise Refused("oidc_failed", where="the provider has another name")
            if not all(name in about for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")):
                raise Refused("oidc_failed", where="the provider does not say where to ask")
            self._about, self._asked = about, now
        return self._about


class _Straight(HTTPRedirectHandler):
    """A provider that sends us elsewhere is not the one that was configured."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


async def _fetch(url: str, data: bytes | None = None, headers: Mapping[str, str] = {}) -> dict[str, Any]:
    """A JSON object. Raises Refused."""

    def fetch() -> Any:
        request = Request(url, data, {"Accept": "application/json", **headers})
        with build_opener(_Straight).open(request, timeout=PATIENCE_S) as answer:
            return json.loads(answer.read(MOST_B))

    try:
        body = await asyncio.to_thread(fetch)
    except HTTPError as error:
        said = error.read(500).decode(errors="replace")
        raise Refused("oidc_failed", where=f"{url}: {error.code} {said}") from error
    except OSError as error:  # URLError is one
        raise Refused("oidc_down", where=f"{url}: {error}") from error
    except ValueError as error:
        raise Refused("oidc_failed", where=f"{url}: {error}") from error
    if not isinstance(body, dict):
        raise Refused("oidc_failed", where=url)
    return body

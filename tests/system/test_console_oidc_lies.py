"""A provider of OpenID Connect that lies, or one that somebody stands in for: nobody is let in."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from homenode.gateway.clock import Clock
from tests.system.brokers import Mosquitto, needs_mosquitto

pytest.importorskip("jinja2", reason="the extra console is not installed")
joserfc = pytest.importorskip("joserfc", reason="the extra console is not installed")

from joserfc import jwt  # noqa: E402 - it needs the extra
from joserfc.jwk import ECKey, OctKey, RSAKey  # noqa: E402 - as above

from tests.system.consoles import Client, Console  # noqa: E402 - as above

pytestmark = needs_mosquitto
KEY, OTHER = (ECKey.generate_key("P-256", parameters={"kid": "k"}) for _ in range(2))


class Provider(HTTPServer):
    """Signs what it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.changed: dict[str, Any] = {}
        self.signed_by: Any = KEY
        self.header: dict[str, Any] = {"alg": "ES256", "kid": "k"}
        self.nonce = ""
        self.about: dict[str, Any] = {}

    def token(self) -> str:
        """Right but for `changed`, `signed_by` and `header`."""
        now = Clock().wall() // 1000
        claims: dict[str, Any] = {
            "iss": self.issuer, "aud": "console", "sub": "eva", "name": "Eva", "groups": ["night"],
            "nonce": self.nonce, "iat": now, "exp": now + 300,
        } | self.changed  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.header["alg"] == "none":
            parts = [json.dumps(part).encode() for part in (self.header, claims)]
            return ".".join(_b64(part) for part in parts) + "."
        return jwt.encode(self.header, claims, self.signed_by, algorithms=[self.header["alg"]])


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        if self.path == "/jwks":
            return self.say({"keys": [KEY.as_dict(private=False)]})
        url = self.server.issuer
        about = {"issuer": url, "authorization_endpoint": f"{url}/auth", "token_endpoint": f"{url}/token"}
        return self.say(about | {"jwks_uri": f"{url}/jwks"} | self.server.about)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.say({"id_token": self.server.token(), "access_token": "x"})

    def say(self, body: Mapping[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def provider() -> Iterator[Provider]:
    server = Provider()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def console(tmp_path: Path, provider: Provider) -> Iterator[Console]:
    (tmp_path / "oidc.secret").write_text("secret")
    people = f"""\
roster: false
roles: {{night: {{sees: care, homes: all}}}}
oidc:
  issuer: {provider.issuer}
  client_id: console
  client_secret_file: oidc.secret
  roles: {{night: [night]}}
"""
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Console(tmp_path, broker.port, "", people=people) as made,
    ):
        yield made


def signs_in(console: Console, provider: Provider) -> int:
    """A whole sign-in; the status of its end."""
    client = Client(console)
    asked = client.get("/sign-in/elsewhere")
    if asked.status != 303:
        return asked.status
    query = parse_qs(urlsplit(asked.to).query)
    provider.nonce = query["nonce"][0]
    status = client.get(f"/sign-in/back?code=c&state={query['state'][0]}").status
    assert ("console" in client.cookies) is (status == 303)
    return status


def test_a_provider_that_is_away_is_told_as_that_and_not_as_a_liar(
    console: Console, provider: Provider
) -> None:
    provider.shutdown()
    provider.server_close()
    answer = Client(console).get("/sign-in/elsewhere")
    assert (answer.status, "The sign-in service does not answer" in answer.text) == (403, True)
    assert "oidc_down" in console.log


def test_a_claim_that_the_provider_leaves_out_stands_in_the_log(console: Console, provider: Provider) -> None:
    provider.changed = {"groups": None}
    assert signs_in(console, provider) == 403
    assert "no claim groups: no_role (oidc.scope or the provider leaves it out)" in console.log


def test_only_a_token_that_is_right_in_everything_lets_in(console: Console, provider: Provider) -> None:
    assert signs_in(console, provider) == 303
    now = Clock().wall() // 1000
    for changed in (
        {"iss": "http://evil.example"}, {"aud": "another"}, {"aud": None}, {"sub": None},
        {"nonce": "another"},
        {"nonce": None}, {"exp": now - 120}, {"exp": None}, {"exp": "soon"}, {"iat": now + 3_600},
        {"azp": "another"}, {"groups": ["kitchen"]}, {"groups": None}, {"groups": {"night": True}},
    ):  # fmt: skip
        provider.changed = changed
        assert signs_in(console, provider) == 403, changed
    provider.changed = {"aud": ["console", "another"], "azp": "console"}
    assert signs_in(console, provider) == 303


def test_a_token_that_somebody_else_signed_or_nobody_is_refused(console: Console, provider: Provider) -> None:
    provider.signed_by = OTHER
    assert signs_in(console, provider) == 403
    provider.header = {"alg": "none"}
    assert signs_in(console, provider) == 403
    public = json.dumps(KEY.as_dict(private=False)).encode()
    for secret in (
        public,
        b"secret" * 6,
    ):  # a public key, or what both know, as if it was a secret to sign with
        provider.header, provider.signed_by = {"alg": "HS256", "kid": "k"}, OctKey.import_key(secret)
        assert signs_in(console, provider) == 403
    provider.header, provider.signed_by = {"alg": "RS256", "kid": "k"}, RSAKey.generate_key(2048)
    assert signs_in(console, provider) == 403


def test_a_provider_that_has_another_name_is_not_asked(console: Console, provider: Provider) -> None:
    provider.about = {"issuer": "http://evil.example"}
    assert signs_in(console, provider) == 403
    provider.about = {"jwks_uri": "http://127.0.0.1:9/"}
    assert signs_in(console, provider) == 403

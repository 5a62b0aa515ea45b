"""An EST server (RFC 7030) of openssl and Python's http.server, which is no office of ours."""

from __future__ import annotations

import base64
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from tests.system.openssl import issued, openssl


class EstServer:
    """With an RSA root, an issuing authority below it, and a folder for the names that it is asked for.

    Args:
        users: Name to password, for who has no certificate.
        label: Additional path segment (3.2.2).
    """

    def __init__(self, folder: Path, users: dict[str, str], label: str = "") -> None:
        self.folder, self.users, self.label = folder, users, label
        self.asked: list[str] = []
        rsa = ("-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-days", "30")
        openssl(folder, "req", "-x509", *rsa, "-subj", "/CN=foreign root", "-out", "root.pem")
        authority = "basicConstraints=critical,CA:true\nkeyUsage=keyCertSign"
        issued(folder, "ca", authority, ca="root", subject="/CN=foreign issuer")
        issued(folder, "server", "subjectAltName=DNS:localhost", subject="/CN=localhost")
        chain = (folder / "server.pem").read_text() + (folder / "ca.pem").read_text()
        (folder / "chain.pem").write_text(chain)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(folder / "chain.pem", folder / "server.key")
        tls.load_verify_locations(folder / "root.pem")
        tls.load_verify_locations(folder / "ca.pem")
        tls.verify_mode = ssl.CERT_OPTIONAL
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def root(self) -> str:
        """PEM."""
        return (self.folder / "root.pem").read_text()

    def answer(self, method: str, what: str, body: bytes, user: str, known: bool) -> tuple[int, str, bytes]:
        """Status, type and body."""
        self.asked.append(what)
        if method == "GET" and what == "cacerts":
            files = [word for name in ("ca", "root") for word in ("-certfile", f"{name}.pem")]
            return 200, "application/pkcs7-mime", self._bag(*files)
        if method == "POST" and what in ("simpleenroll", "simplereenroll"):
            users = {f"{name}:{password}" for name, password in self.users.items()}
            if not known and (what == "simplereenroll" or user not in users):
                return 401, "text/plain", b"who are you?"
            der = base64.b64decode(body)
            made = openssl(self.folder, "x509", "-req", "-inform", "DER", "-CA", "ca.pem", "-CAkey", "ca.key",
                                 "-CAcreateserial", "-days", "3", said=der)  # fmt: skip
            (self.folder / "made.pem").write_bytes(made)
            return 200, "application/pkcs7-mime; smime-type=certs-only", self._bag("-certfile", "made.pem")
        return 404, "text/html", b"<h1>Not here</h1>"

    def _bag(self, *files: str) -> bytes:
        der = openssl(self.folder, "crl2pkcs7", "-nocrl", *files, "-outform", "DER")
        return base64.encodebytes(der).replace(b"\n", b"\r\n")

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _do(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                user = base64.b64decode(self.headers.get("Authorization", "Basic ")[6:]).decode()
                prefix = f"/.well-known/est/{server.label}/" if server.label else "/.well-known/est/"
                what = self.path.removeprefix(prefix)
                assert isinstance(self.connection, ssl.SSLSocket)
                known = bool(self.connection.getpeercert())
                status, kind, data = server.answer(self.command, what, body, user, known)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for at in range(0, len(data), 100):
                    part = data[at : at + 100]
                    self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                self.wfile.write(b"0\r\n\r\n")

            do_GET = do_POST = _do

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        return Handler

"""Where bundles are: an HTTPS server as nginx is one, that hangs up when a test wants it to."""

from __future__ import annotations

import hashlib
import http.server
import ssl
import threading
import time
from pathlib import Path

from tests.system.openssl import self_signed


def make_certificate(folder: Path, name: str) -> None:
    """NAME.pem and NAME.key, signed by itself, good for 127.0.0.1."""
    self_signed(folder, name, "-addext", "subjectAltName=IP:127.0.0.1")


def sha256(path: Path) -> str:
    """As an order names it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Shelf(http.server.ThreadingHTTPServer):
    """An HTTPS server for bundles with Range and ETag, for nodes with a certificate; hangs up on demand.

    Attributes:
        cut_after: Bytes of an answer after which it hangs up; 0: never.
        drip_after: Bytes of an answer after which one comes each 0.05 s only; 0: never.
        ranges: Whether it knows of ranges.
        part_b: Bytes of a range that it sends at most, as RFC 9110, 14.2 lets it; 0: all that was asked for.
        tells_etag: Whether it says which file this is.
        tells_length: Whether it says how much comes; else the end of the connection is the end.
        sent: Bytes of bundles that it sent.
        asked: The ranges that were asked for.
    """

    daemon_threads = True

    def __init__(self, folder: Path, keys: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.folder, self.cut_after, self.drip_after, self.sent = folder, 0, 0, 0
        self.asked: list[str] = []
        self.ranges, self.part_b, self.tells_etag, self.tells_length = True, 0, True, True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(keys / "ca.pem", keys / "ca.key")
        context.load_verify_locations(keys / "node.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self._thread = threading.Thread(target=self.serve_forever, daemon=True)
        self._thread.start()

    def url(self, path: Path) -> str:
        """Where a file of its folder is."""
        return f"https://127.0.0.1:{self.server_address[1]}/{path.name}"

    def handle_error(self, *_: object) -> None:
        """Who hangs up does so."""

    def __exit__(self, *_: object) -> None:
        """Shut it."""
        self.shutdown()
        self.server_close()


class _Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Shelf

    def do_GET(self) -> None:
        path = self.server.folder / self.path.lstrip("/")
        if not path.is_file():
            self.send_error(404)
            return
        whole = path.read_bytes()
        etag = f'"{hashlib.sha256(whole).hexdigest()[:16]}"'
        asked = self.headers.get("Range", "")
        if self.headers.get("If-Range", etag) != etag or not self.server.ranges:
            asked = ""
        self.server.asked.append(asked)
        first = int(asked.removeprefix("bytes=").rstrip("-") or 0)
        body = whole[first:]
        if asked and self.server.part_b:
            body = body[: self.server.part_b]
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{len(whole)}")
        if self.server.tells_etag:
            self.send_header("ETag", etag)
        if self.server.tells_length:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.close_connection = True
        self.end_headers()
        if self.server.cut_after and len(body) > self.server.cut_after:
            body = body[: self.server.cut_after]
            self.close_connection = True
        drops = body[self.server.drip_after :] if self.server.drip_after else b""
        body = body.removesuffix(drops)
        self.server.sent += len(body)  # before who gets it can ask
        self.wfile.write(body)
        for nth in range(len(drops)):
            time.sleep(0.05)
            self.wfile.write(drops[nth : nth + 1])
        self.wfile.flush()

    def log_message(self, *_: object) -> None: ...

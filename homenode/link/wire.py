"""A socket to a broker: over one network interface if one is named; who we are there: user, certificate."""

from __future__ import annotations

import socket
import ssl

from homenode.config.model import Broker
from homenode.link.address import Address
from homenode.link.words import NoLink
from homenode.paho import mqtt

CONNECT_S = 5.0
"""TCP, TLS and CONNACK each; a mobile link's worst round trip is about 1 s."""


def connected(host: str, port: int, interface: str = "") -> socket.socket:
    """A TCP connection; over that network interface and no other, if one is named.

    Raises:
        OSError: It can't be made; of the last address tried.
    """
    failure: OSError | None = None
    for family, kind, protocol, _, where in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(CONNECT_S)
            if interface:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
            sock.connect(where)
        except OSError as error:
            sock.close()
            failure = error
        else:
            return sock
    raise failure or OSError(f"{host} has no address")


def identify(client: mqtt.Client, broker: Broker, where: Address) -> None:
    """Have paho say who we are. Raises NoLink."""
    if broker.username:
        client.username_pw_set(broker.username, password(broker, str(where)))
    if where.tls:
        client.tls_set_context(tls_context(broker))


def password(broker: Broker, where: str) -> str | None:
    """What its file holds; None if there is none. Raises NoLink."""
    file = broker.password_file
    try:
        return file.read_text().strip() if file else None
    except (OSError, UnicodeDecodeError) as error:
        what = f"{file} can't be read: {getattr(error, 'strerror', error)}"
        raise NoLink(what, where=where, do="check password_file", person=True) from error


def tls_context(broker: Broker) -> ssl.SSLContext:
    """TLS 1.2 or newer with the node's own certificate. Raises NoLink."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    where = ""
    try:
        if broker.ca:
            where = str(broker.ca)
            context.load_verify_locations(where)
        else:
            context.load_default_certs()
        if broker.cert:
            where = str(broker.cert)
            context.load_cert_chain(broker.cert, broker.key)
    except (OSError, ssl.SSLError) as error:
        what = f"{where} can't be used: {error.strerror or error}"
        raise NoLink(what, where=where, do="check broker.ca, cert and key", person=True) from error
    return context

"""The office's certificate authority: files in a folder, made and read here and nowhere else.

`ca.pem` with `ca.key` issues; behind it in `ca.pem` stands the chain of a given intermediate. While one
authority follows another, `former.pem` is the old one and `cross.pem` each certified by the other (4.1.3).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from homenode.enrol.keys import CMC_RA
from homenode.errors import SetupError
from homenode.install.home_file import replace

SERVER, NEXT = "server.pem", "ca.key.new"
CA_DAYS, SERVER_DAYS = 20 * 365, 397
EARLY = timedelta(hours=1)
"""A certificate counts from so long before it was issued: clocks differ."""
LIST_DAYS = 3650
"""A broker whose list is over takes nobody any more, and somebody has to bring it the next one."""
KINDS = (NameOID.COMMON_NAME, NameOID.SERIAL_NUMBER)


class Authority:
    """Of the office in `folder`."""

    def __init__(self, folder: Path) -> None:
        """Read it.

        Raises:
            SetupError: It isn't there, or can't be used.
        """
        self.folder = folder
        try:
            certificates, key = (folder / "ca.pem").read_bytes(), (folder / "ca.key").read_bytes()
        except OSError as error:
            do = "homenode office init DIR makes one; run this as the user that owns it"
            raise SetupError(f"no authority: {error.strerror}", where=str(error.filename), do=do) from error
        self.chain, self._key = _pair(certificates, key, str(folder), _key(folder / NEXT))
        self.former = [one for one in _certificates(folder / "former.pem") if one != self.chain[0]]
        self._cross = _certificates(folder / "cross.pem") if self.former else []

    @property
    def certificate(self) -> x509.Certificate:
        """That issues."""
        return self.chain[0]

    def roots(self) -> list[x509.Certificate]:
        """What /cacerts answers: all that a box is to trust, and what leads from one to the other."""
        return [*self.chain, *self.former, *self._cross]

    def issue(
        self, key: ec.EllipticCurvePublicKey, serial: str, home: str, now: datetime, life: timedelta
    ) -> x509.Certificate:
        """A certificate of a box for its home."""
        return self._leaf(subject_of(serial, home), key, [ExtendedKeyUsageOID.CLIENT_AUTH], now, life)

    def certify(
        self, key: ec.EllipticCurvePublicKey, name: str, hosts: Sequence[str], now: datetime, life: timedelta
    ) -> x509.Certificate:
        """A certificate of somebody who is no box: a party, or with `hosts` a broker."""
        use = ExtendedKeyUsageOID.SERVER_AUTH if hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        return self._leaf(_named(name), key, [use], now, life, hosts)

    def _leaf(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        uses: Sequence[x509.ObjectIdentifier],
        now: datetime,
        life: timedelta,
        hosts: Sequence[str] = (),
    ) -> x509.Certificate:
        """Of one end of a TLS connection; in force no longer than the authority."""
        end = min(now + life, self.certificate.not_valid_after_utc)
        made = (
            _of(subject, self.certificate.subject, key, now - EARLY, end)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
            .add_extension(_by(self.certificate), critical=False)
        )
        if hosts:
            alternative = x509.SubjectAlternativeName([_name(host) for host in hosts])
            made = made.add_extension(alternative, critical=False)
        return made.sign(self._key, hashes.SHA256())

    def revocations(
        self, rows: Sequence[tuple[int, datetime]], number: int, now: datetime
    ) -> list[x509.CertificateRevocationList]:
        """Revoked certificates, listed by each authority that counts: a broker wants a list of each."""
        signers = [(self.certificate, self._key)]
        former = _key(self.folder / "former.key")
        signers += [(one, former) for one in self.former if former is not None]
        revoked = [
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
            for serial, at in rows
        ]
        found = []
        for by, key in signers:
            made = (
                x509.CertificateRevocationListBuilder(revoked_certificates=revoked)
                .issuer_name(by.subject)
                .last_update(now - EARLY)
                .next_update(now + timedelta(days=LIST_DAYS))
                .add_extension(x509.CRLNumber(number), critical=False)
                .add_extension(_by(by), critical=False)
            )
            found.append(made.sign(key, hashes.SHA256()))
        return found

    def server(self, names: Sequence[str], now: datetime) -> None:
        """Make `server.pem`, if it is missing, near its end or of another authority.

        Its key is in it, as two files can't be replaced in one step.
        """
        path = self.folder / SERVER
        there = _certificates(path)
        if there and _key(path) is not None and _serves(there[0], self.certificate, names, now):
            return
        key = ec.generate_private_key(ec.SECP256R1())
        uses = [ExtendedKeyUsageOID.SERVER_AUTH, CMC_RA]
        life = timedelta(days=SERVER_DAYS)
        made = self._leaf(_named(names[0][:64]), key.public_key(), uses, now, life, names)
        # of a box that knows only the former authority, the way leads over the new one certified by that
        over = [one for one in self._cross if one.subject == self.certificate.subject]
        chain = b"".join(map(pem, [made, *self._between(), *over]))
        replace(path, pem_of_key(key) + chain, 0o600)
        (self.folder / "server.key").unlink(missing_ok=True)  # of an earlier version

    def _between(self) -> list[x509.Certificate]:
        return [one for one in self.chain if one.subject != one.issuer]


def found(folder: Path, name: str, now: datetime, given: tuple[bytes, bytes] | None = None) -> Authority:
    """Make the authority of a new office.

    Args:
        given: In place of an own root, as `given_of` reads it.

    Raises:
        SetupError: There is one.
    """
    check_none(folder)
    if given is not None:
        replace(folder / "ca.pem", given[0], 0o644)
        replace(folder / "ca.key", given[1], 0o600)
    else:
        new = ec.generate_private_key(ec.SECP256R1())
        replace(folder / "ca.key", pem_of_key(new), 0o600)
        replace(folder / "ca.pem", pem(_root(name, new, now)), 0o644)
    return Authority(folder)


def check_none(folder: Path) -> None:
    """That no authority is there. Raises SetupError."""
    if (folder / "ca.key").exists():
        raise SetupError("an authority is here", where=str(folder), do="name an empty folder")


def given_of(certificate: Path, key: Path, chain: Path | None) -> tuple[bytes, bytes]:
    """What `ca.pem` and `ca.key` are of a given intermediate, with the chain to its root.

    Raises:
        SetupError: It can't be read or used.
    """
    try:
        between = chain.read_bytes() if chain is not None else b""
        certificates, secret = certificate.read_bytes().rstrip() + b"\n" + between, key.read_bytes()
    except OSError as error:
        raise SetupError(f"it can't be read: {error.strerror}", where=str(error.filename)) from error
    found, _ = _pair(certificates, secret, str(certificate))
    if not all(_certifies(one) for one in found):
        raise SetupError("it may not certify others", where=str(certificate), do="name an authority's")
    if found[-1].issuer != found[-1].subject:
        raise SetupError("no box trusts it without its root", where=str(certificate), do="add --chain FILE")
    return certificates, secret


def _certifies(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _pair(
    certificates: bytes, key: bytes, where: str, instead: ec.EllipticCurvePrivateKey | None = None
) -> tuple[list[x509.Certificate], ec.EllipticCurvePrivateKey]:
    """An authority's chain and key, which is `instead` if a roll-over was cut short. Raises SetupError."""
    try:
        chain, own = (
            x509.load_pem_x509_certificates(certificates),
            serialization.load_pem_private_key(key, None),
        )
    except (ValueError, TypeError) as error:
        raise SetupError(f"the authority can't be read: {error}", where=where) from error
    public = chain[0].public_key()
    if instead is not None and instead.public_key() == public:
        own = instead
    if not isinstance(own, ec.EllipticCurvePrivateKey) or own.public_key() != public:
        raise SetupError("its key is not the one (EC) of its first certificate", where=where)
    return chain, own


def roll(folder: Path, now: datetime) -> Authority:
    """A new authority takes over; certificates of the old one count until they end.

    Raises:
        SetupError: The old one is no root, or another roll-over isn't over.
    """
    old = Authority(folder)
    if old.former:
        raise SetupError("a roll-over is under way", where=str(folder / "former.pem"),
                         do="homenode office roll --finish, when no box needs it any more")  # fmt: skip
    if old.certificate.subject != old.certificate.issuer:
        raise SetupError(
            "the authority was given, not made here", where=str(folder), do="have its owner roll it"
        )
    new = ec.generate_private_key(ec.SECP256R1())
    common = str(old.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    root = _root(f"{common.partition(' from ')[0]} from {now:%Y-%m-%d %H:%M:%S}", new, now)
    end = min(old.certificate.not_valid_after_utc, root.not_valid_after_utc)
    cross = [
        _authority(root.subject, old.certificate, new.public_key(), old._key, now, end),
        _authority(old.certificate.subject, root, old._key.public_key(), new, now, end),
    ]
    replace(folder / "ca.key", pem_of_key(old._key), 0o600)  # if the last one was cut short, only NEXT has it
    replace(folder / NEXT, pem_of_key(new), 0o600)
    replace(folder / "former.key", pem_of_key(old._key), 0o600)
    replace(folder / "former.pem", pem(old.certificate), 0o644)
    replace(folder / "cross.pem", b"".join(map(pem, cross)), 0o644)
    replace(folder / "ca.pem", pem(root), 0o644)  # from here on it is the new one
    replace(folder / "ca.key", pem_of_key(new), 0o600)
    (folder / NEXT).unlink()
    return Authority(folder)


def finish(folder: Path) -> None:
    """The former authority counts no more."""
    for name in ("cross.pem", "former.key", SERVER, "former.pem"):  # while the last is there, it isn't done
        (folder / name).unlink(missing_ok=True)


def subject_of(serial: str, home: str) -> x509.Name:
    """CN is the home, by which the broker knows what it may see; serialNumber is the box."""
    attributes = zip(KINDS, (home, serial), strict=True)
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in attributes])


def pem(certificate: x509.Certificate) -> bytes:
    """As PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def pem_of_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """As PEM, PKCS#8."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _root(name: str, key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    subject = _named(name)
    return _authority(subject, None, key.public_key(), key, now, now + timedelta(days=CA_DAYS))


def _authority(
    subject: x509.Name,
    issuer: x509.Certificate | None,
    key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    now: datetime,
    end: datetime,
) -> x509.Certificate:
    by = issuer.subject if issuer is not None else subject
    made = (
        _of(subject, by, key, now - EARLY, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
    if issuer is not None:
        made = made.add_extension(_by(issuer), critical=False)
    return made.sign(signer, hashes.SHA256())


def _of(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return made.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)


def _by(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    key = issuer.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key)


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(digital_signature, False, False, False, False, key_cert_sign, crl_sign, False, False)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _serves(made: x509.Certificate, by: x509.Certificate, names: Sequence[str], now: datetime) -> bool:
    """Whether it is by this authority, for these names, in force, and for more than a third of its life."""
    life = made.not_valid_after_utc - made.not_valid_before_utc
    told = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    fresh = made.not_valid_before_utc <= now < made.not_valid_after_utc - life / 3
    return fresh and made.issuer == by.subject and list(told) == [_name(name) for name in names]


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except FileNotFoundError:
        return []


def _key(path: Path) -> ec.EllipticCurvePrivateKey | None:
    """None if none is there."""
    try:
        found = serialization.load_pem_private_key(path.read_bytes(), None)
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, ec.EllipticCurvePrivateKey) else None


def moment(ms: int) -> datetime:
    """Of milliseconds since 1970."""
    return datetime.fromtimestamp(ms / 1000, UTC)

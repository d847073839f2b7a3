# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 12, steps 5 to 7: certificates of stations, chains to an authority, name constraints, CRLs.

Paths are built here and not by a library: the format allows one order of certificates only, so a chain is a list.
"""

import hashlib
import re

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from refusal import Refusal
from shape import LABEL

CLASSICAL, POST_QUANTUM = 0, 1
SIGNATURE_OIDS = ("1.2.840.10045.4.3.3", "2.16.840.1.101.3.4.3.19")
PURPOSE_ARC = "2.25.222243778622752942389732164667255593586.1"
DOMAIN = ".blanche.invalid"
KNOWN_CRITICAL = (x509.BasicConstraints, x509.KeyUsage, x509.NameConstraints, x509.SubjectAlternativeName, x509.ExtendedKeyUsage)
UNREADABLE = (
    ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType,
)


class Certificate:
    """One X.509 v3 certificate, with everything that is asked of it parsed once. Raises ValueError if it cannot be."""

    def __init__(self, der):
        try:
            self.der = bytes(der)
            self.x509 = x509.load_der_x509_certificate(self.der)
            self.key = self.x509.public_key()
            self.extensions = list(self.x509.extensions)
            self.subject = self.x509.subject.public_bytes()
            self.issuer = self.x509.issuer.public_bytes()
            self.begins = self.x509.not_valid_before_utc.timestamp()
            self.ends = self.x509.not_valid_after_utc.timestamp()
            self.signature_oid = self.x509.signature_algorithm_oid.dotted_string
            self.spki = self.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        except UNREADABLE as error:
            raise ValueError(f"certificate: {error}") from None
        if self.x509.version is not x509.Version.v3:
            raise ValueError("certificate: not version 3")

    def get(self, kind):
        """The extension of a kind, or None."""
        return next((one for one in self.extensions if isinstance(one.value, kind)), None)

    def has_key_of(self, algorithm):
        if algorithm == CLASSICAL:
            is_p384 = isinstance(self.key, ec.EllipticCurvePublicKey) and isinstance(self.key.curve, ec.SECP384R1)
            # Section 4: uncompressed points. The library writes them so; a compressed one is not found again.
            return is_p384 and self.spki in self.x509.tbs_certificate_bytes
        return isinstance(self.key, mldsa.MLDSA87PublicKey)

    def valid_at(self, now):
        return self.begins <= now <= self.ends

    def signed_by(self, issuer, algorithm):
        if self.signature_oid != SIGNATURE_OIDS[algorithm] or self.issuer != issuer.subject:
            return False
        # A signature has whole bytes: the library passes over a count of unused bits before it.
        if self.der[-len(self.x509.signature) - 1] != 0:
            return False
        try:
            self.x509.verify_directly_issued_by(issuer.x509)
        except (InvalidSignature, *UNREADABLE):
            return False
        return True

    def issuer_id(self):
        """How a verifier remembers an issuer (section 14)."""
        return hashlib.sha256(self.spki).hexdigest()


def authority_id(pair):
    """What tells authorities apart (section 12), as a memory writes it."""
    return hashlib.sha256(b"".join(anchor.spki for anchor in pair)).hexdigest()


def end_certificates(chains, purpose):
    """Step 5: both end certificates, and the station and site that they name."""
    ends = []
    for algorithm, chain in enumerate(chains):
        try:
            certificate = Certificate(chain[0])
        except ValueError as error:
            raise Refusal("E-CERTIFICATE", str(error)) from None
        if not certificate.has_key_of(algorithm):
            raise Refusal("E-CERTIFICATE", f"the key of end certificate {algorithm} is of another algorithm")
        ends.append(certificate)
    names = [station_of(certificate) for certificate in ends]
    if names[0] != names[1]:
        raise Refusal("E-NAME", f"{names[0]} and {names[1]}")
    if purpose.arc in (1, 2) and names[0][1] == "authority":
        raise Refusal("E-NAME", "a station of the site that stands for all sites")
    for certificate in ends:
        check_usage(certificate, purpose)
    return ends, *names[0]


def station_of(certificate):
    """Station and site from `STATION.SITE.blanche.invalid`."""
    names = certificate.get(x509.SubjectAlternativeName)
    names = list(names.value) if names else []
    if len(names) != 1 or not isinstance(names[0], x509.DNSName):
        raise Refusal("E-NAME", f"not exactly one dNSName: {names}")
    name = names[0].value
    labels = name[: -len(DOMAIN)].split(".")
    if not name.endswith(DOMAIN) or len(labels) != 2 or not all(LABEL.fullmatch(one) for one in labels):
        raise Refusal("E-NAME", f"{name!r} is not STATION.SITE{DOMAIN}")
    return tuple(labels)


def check_usage(certificate, purpose):
    usages = certificate.get(x509.ExtendedKeyUsage)
    found = [one.dotted_string for one in usages.value] if usages else []
    if found != [f"{PURPOSE_ARC}.{purpose.arc}"]:
        raise Refusal("E-KEY-USAGE", f"extended key usage {found}")
    usage = certificate.get(x509.KeyUsage)
    if not usage or not usage.critical or not usage.value.digital_signature:
        raise Refusal("E-KEY-USAGE", "no critical key usage digitalSignature")


def check_chains(chains, ends, authorities, now):
    """Step 6: per algorithm the certificates from the end to the anchor, the anchor included."""
    paths = [[ends[a], *intermediates(chain[1:])] for a, chain in enumerate(chains)]
    for path in paths:
        check_time(path, now)
    reached = [pair for pair in authorities if all(leads_to(paths[a], pair[a], a) for a in (CLASSICAL, POST_QUANTUM))]
    if not reached:
        raise Refusal("E-CHAIN", "no authority with a path from both end certificates")
    timely = [pair for pair in reached if all(anchor.valid_at(now) for anchor in pair)]
    if not timely:
        raise Refusal("E-CERTIFICATE-TIME", "an anchor is not valid now")
    whole = [[*path, anchor] for path, anchor in zip(paths, timely[0])]
    for path in whole:
        check_site(path)
    return authority_id(timely[0]), whole


def intermediates(ders):
    try:
        return [Certificate(der) for der in ders]
    except ValueError as error:
        raise Refusal("E-CHAIN", f"intermediate: {error}") from None


def check_time(path, now):
    for certificate in path:
        if not certificate.valid_at(now):
            raise Refusal("E-CERTIFICATE-TIME", f"{certificate.x509.subject.rfc4514_string()} is not valid at {now}")


def leads_to(path, anchor, algorithm):
    """Whether each certificate is signed by the next, the last by the anchor, and each is what its place demands."""
    basic = path[0].get(x509.BasicConstraints)
    if basic and basic.value.ca:
        return False
    if any(certificate.der == anchor.der for certificate in path):
        return False
    issuers = [*path[1:], anchor]
    for below, issuer in enumerate(issuers):
        if not may_issue(issuer, below) or not issuer.has_key_of(algorithm) or not path[below].signed_by(issuer, algorithm):
            return False
    return not any(unknown_critical(one.extensions, KNOWN_CRITICAL) for one in [*path, anchor])


def may_issue(issuer, below):
    """basicConstraints, keyUsage and nameConstraints as the table of section 12 demands; `below` CAs stand under it."""
    basic, usage, names = (issuer.get(kind) for kind in (x509.BasicConstraints, x509.KeyUsage, x509.NameConstraints))
    if not basic or not basic.critical or not basic.value.ca:
        return False
    if basic.value.path_length is not None and basic.value.path_length < below:
        return False
    if not usage or not usage.critical or not usage.value.key_cert_sign or not usage.value.crl_sign:
        return False
    return names is None or names.critical


def unknown_critical(extensions, known):
    return any(one.critical and not isinstance(one.value, known) for one in extensions)


def check_site(path):
    """RFC 5280, 4.2.1.10, for dNSName; a constraint of another kind of name is not part of format 1."""
    name = path[0].get(x509.SubjectAlternativeName).value[0].value
    for issuer in path[1:]:
        constraints = issuer.get(x509.NameConstraints)
        if constraints is None:
            continue
        permitted, excluded = constraints.value.permitted_subtrees or [], constraints.value.excluded_subtrees or []
        if not all(isinstance(one, x509.DNSName) for one in [*permitted, *excluded]):
            raise Refusal("E-SITE", "a constraint of another kind of name")
        if permitted and not any(under(name, one.value) for one in permitted):
            raise Refusal("E-SITE", f"{name} is outside {[one.value for one in permitted]}")
        if any(under(name, one.value) for one in excluded):
            raise Refusal("E-SITE", f"{name} is excluded")


def under(name, constraint):
    return re.fullmatch(rf"(.+\.)?{re.escape(constraint.lower())}", name) is not None


class Crl:
    """A version 2 CRL with a number. Raises ValueError if it is anything else."""

    def __init__(self, der):
        try:
            self.x509 = x509.load_der_x509_crl(bytes(der))
            self.issuer = self.x509.issuer.public_bytes()
            self.updated = int(self.x509.last_update_utc.timestamp())
            extensions = list(self.x509.extensions)
            self.number = self.x509.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
            entries = [extension for one in self.x509 for extension in one.extensions]
        except (*UNREADABLE, x509.ExtensionNotFound) as error:
            raise ValueError(f"CRL: {error}") from None
        # A delta CRL, a partial one and an indirect one all say so in a critical extension.
        if unknown_critical(extensions, x509.CRLNumber) or unknown_critical(entries, x509.CRLReason):
            raise ValueError("CRL: a critical extension that the format does not have")

    def signed_by(self, issuer, algorithm):
        if self.issuer != issuer.subject or self.x509.signature_algorithm_oid.dotted_string != SIGNATURE_OIDS[algorithm]:
            return False
        try:
            return self.x509.is_signature_valid(issuer.key)
        except UNREADABLE:
            return False


def readable_crls(ders):
    """Step 7: what does not parse counts as missing."""
    found = []
    for der in ders:
        try:
            found.append(Crl(der))
        except ValueError:
            continue
    return found


def check_crls(paths, crls, policy, clock):
    """Step 7: a fresh CRL of each issuer that does not list the certificate below it. Whatever it says, they teach."""
    chosen = [newest_crls(path, crls, algorithm, clock) for algorithm, path in enumerate(paths)]
    for path, found in zip(paths, chosen):
        for issuer, crl in zip(path[1:], found):
            check_crl(issuer, crl, policy, clock)
        for certificate, crl in zip(path, found):
            serial = certificate.x509.serial_number
            if crl and crl.x509.get_revoked_certificate_by_serial_number(serial) is not None:
                raise Refusal("E-REVOKED-STATION", f"serial {serial:x}")


def newest_crls(path, crls, algorithm, clock):
    """For each issuer of a path its CRL with the highest number, or None."""
    found = []
    for issuer in path[1:]:
        signed = [one for one in crls if one.signed_by(issuer, algorithm)]
        found.append(max(signed, key=lambda one: (one.number, one.updated), default=None))
        if found[-1]:
            clock.saw_crl(issuer.issuer_id(), found[-1].number, found[-1].updated)
    return found


def check_crl(issuer, crl, policy, clock):
    name = issuer.x509.subject.rfc4514_string()
    if not crl:
        if policy.require_crl:
            raise Refusal("E-CRL-MISSING", f"no CRL of {name}")
        return
    if crl.number < clock.crl_number(issuer.issuer_id()):
        raise Refusal("E-CRL-OLD", f"CRL {crl.number} of {name}")
    if clock.now - crl.updated > policy.max_crl_age:
        raise Refusal("E-CRL-STALE", f"CRL of {name} of {crl.updated}")

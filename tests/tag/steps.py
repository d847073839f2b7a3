# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 15: the steps of verification in their order; the first that fails names the refusal."""

import mmap
import struct
import tempfile
from dataclasses import dataclass, field

import claims as claims_rules
import compare
import manifest
from boot import area_digest
from certificates import check_chains, check_crls, end_certificates, readable_crls
from envelope import TAG, check_signatures, read_envelope
from policy import LEVELS
from refusal import Refusal
from revocations import Revocations, read_lists
from usb import canonical_serial

MAGIC = bytes.fromhex("89424C540D0A1A0A")
HEADER = struct.Struct(">8sHHIQ8s")
LARGEST_ENVELOPE, LARGEST_MANIFEST = 262_144, 1_073_741_824
LARGEST_FILE = HEADER.size + LARGEST_ENVELOPE + LARGEST_MANIFEST
FUTURE = 600
DAY = 86_400


@dataclass
class Inputs:
    """What section 15 lists. `authorities` are pairs of `Certificate`; `tag` is a binary file, or None."""

    tag: object
    authorities: list
    crls: list
    lists: list
    clock: object
    policy: object
    medium: object


@dataclass
class Outcome:
    accepted: bool = False
    code: str | None = None
    why: str | None = None
    step: int = 0
    level: str | None = None
    tolerated: list = field(default_factory=list)
    not_available: list = field(default_factory=list)
    differences: list = field(default_factory=list)
    remembered: int = 0
    memory: dict = field(default_factory=dict)

    def at(self, step):
        self.step = step


def verify(inputs):
    outcome = Outcome()
    with tempfile.TemporaryFile() as spool:
        try:
            outcome.at(1)
            raw = copy_once(inputs.tag, spool)
            run_steps(inputs, raw, outcome)
            outcome.accepted = True
        except Refusal as refusal:
            outcome.code, outcome.why = refusal.code, refusal.why
    # Section 14: a tag from the future leaves no trace.
    if outcome.code == "E-NOT-YET-VALID":
        inputs.clock.forget()
    outcome.remembered, outcome.memory = inputs.clock.remembered, inputs.clock.memory()
    return outcome


def run_steps(inputs, raw, outcome):
    outcome.at(2)
    manifest_start = read_header(raw)
    envelope = read_envelope(raw[HEADER.size : manifest_start], TAG, outcome.at)
    station, site, authority = origin(envelope, TAG, inputs, outcome.at)
    outcome.at(9)
    claims = claims_rules.read_claims(envelope.payload)
    outcome.at(10)
    check_names(claims, station, site, inputs.policy)
    revoked = check_claims(claims, inputs, authority, outcome)
    outcome.at(16)
    manifest.check_digest(raw, manifest_start, len(raw), claims[9])
    listed = {}
    for entry in manifest.entries(raw, manifest_start, len(raw), claims):
        listed[entry.name] = entry
    if bad := [entry for entry in listed.values() if entry.sha256 in revoked.contents]:
        raise Refusal("E-REVOKED-CONTENT", f"{bad[0].path!r}")
    check_medium(claims, listed, inputs, raw, outcome)


def copy_once(tag, spool):
    """Step 1: to a spool, and nothing but the spool is used afterwards."""
    if tag is None:
        raise Refusal("E-NO-TAG", "no tag file")
    size = 0
    while part := tag.read(1 << 20):
        size += len(part)
        if size > LARGEST_FILE:
            raise Refusal("E-FORMAT", f"longer than {LARGEST_FILE} bytes")
        spool.write(part)
    if size < HEADER.size:
        raise Refusal("E-FORMAT", f"{size} bytes")
    spool.flush()
    return mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ)


def read_header(raw):
    """Step 2: where the manifest begins."""
    magic, version, header, envelope, listing, zeros = HEADER.unpack_from(raw)
    if magic != MAGIC or zeros != bytes(8):
        raise Refusal("E-FORMAT", "magic or reserved bytes")
    if (version, header) != (1, HEADER.size):
        raise Refusal("E-VERSION", f"version {version}, header of {header} bytes")
    if not 1 <= envelope <= LARGEST_ENVELOPE or listing > LARGEST_MANIFEST or HEADER.size + envelope + listing != len(raw):
        raise Refusal("E-FORMAT", f"envelope {envelope}, manifest {listing}, file {len(raw)} bytes")
    return HEADER.size + envelope


def origin(envelope, purpose, inputs, at):
    """Steps 5 to 8: station, site and the authority that stands behind them."""
    at(5)
    ends, station, site = end_certificates(envelope.chains, purpose)
    at(6)
    authority, paths = check_chains(envelope.chains, ends, inputs.authorities, inputs.clock.now)
    at(7)
    check_crls(paths, readable_crls(inputs.crls), inputs.policy, inputs.clock)
    at(8)
    check_signatures(envelope, [end.key for end in ends])
    return station, site, authority


def check_names(claims, station, site, policy):
    if (claims[2], claims[3]) != (station, site):
        raise Refusal("E-NAME", f"{claims[2]}.{claims[3]} in the claims, {station}.{site} in the certificates")
    if policy.sites is not None and site not in policy.sites:
        raise Refusal("E-SITE-POLICY", f"site {site}")


def check_claims(claims, inputs, authority, outcome):
    """Steps 11 to 15; returns what the revocation lists say."""
    policy, clock = inputs.policy, inputs.clock
    outcome.at(11)
    if claims[12] != 0:
        raise Refusal("E-VERDICT", f"verdict {claims[12]}")
    if claims[13] and not policy.accept_exceptions:
        raise Refusal("E-EXCEPTION", f"{len(claims[13])} exceptions")
    outcome.at(12)
    check_times(claims, policy, clock.now)
    outcome.at(13)
    revoked = check_lists(claims, inputs, authority)
    outcome.at(14)
    last = clock.counters.get(f"{authority}/{claims[2]}.{claims[3]}/{claims_rules.medium_identity(claims[7])}", 0)
    if claims[6] < last:
        raise Refusal("E-REPLAYED", f"counter {claims[6]}, {last} was seen")
    outcome.at(15)
    check_engines(claims, policy)
    return revoked


def check_times(claims, policy, now):
    if claims[4] > now + FUTURE:
        raise Refusal("E-NOT-YET-VALID", f"issued {claims[4]}, now {now}")
    if now >= claims[5]:
        raise Refusal("E-EXPIRED", f"expires {claims[5]}, now {now}")
    if policy.max_tag_age is not None and now - claims[4] > policy.max_tag_age:
        raise Refusal("E-TOO-OLD", f"issued {claims[4]}, now {now}")


def check_lists(claims, inputs, authority):
    lists = read_lists(inputs, origin)
    counting = [one for one in lists if one.counts_for(claims[3], authority)]
    if not counting and inputs.policy.require_list:
        raise Refusal("E-LIST-MISSING", f"no revocation list for site {claims[3]}")
    if counting and inputs.clock.now - max(one.issued for one in counting) > inputs.policy.max_list_age:
        raise Refusal("E-LIST-STALE", "the newest revocation list is too old")
    revoked = Revocations.union(counting)
    if claims[1] in revoked.tags:
        raise Refusal("E-REVOKED-TAG", claims[1].hex())
    return revoked


def check_engines(claims, policy):
    names = {engine[0] for engine in claims[11][0]}
    if len(names) < policy.min_engines or not names >= set(policy.required_engines or ()):
        raise Refusal("E-ENGINES", f"{sorted(names)}")
    bases, fresh, issued = [base for engine in claims[11][0] for base in engine[2]], set(policy.fresh_bases), claims[4]
    counted = {}
    for name, _, date, signatures, _ in bases:
        if date - issued > DAY:
            raise Refusal("E-BASE-AGE", f"{name} of {date}, issued {issued}")
        if signatures:
            counted.setdefault(name.split(".")[0], []).append(date)
    for name in fresh:
        if name not in counted or issued - min(counted[name]) > policy.max_base_age:
            raise Refusal("E-BASE-AGE", f"{name} of {counted.get(name)}, issued {issued}")


def check_medium(claims, listed, inputs, raw, outcome):
    """Steps 17 to 20, up to the level asked for."""
    wanted, medium = LEVELS.index(inputs.policy.level), inputs.medium
    outcome.at(17)
    check_identity(claims[7], inputs, outcome)
    outcome.at(18)
    check_boot(claims, inputs, outcome)
    if wanted < 1:
        check_anything_compared(claims[7], medium)
    outcome.level = "identity"
    if wanted < 1:
        return
    outcome.at(19)
    comparison = compare.Comparison(claims, listed, medium, raw, outcome)
    comparison.inventory()
    outcome.level = "inventory"
    if wanted < 2:
        return
    outcome.at(20)
    comparison.full()
    outcome.level = "full"


def check_identity(claimed, inputs, outcome):
    medium, missing = inputs.medium, []
    for name, seen, said in (("capacity", medium.capacity, claimed[0]), ("block size", medium.block, claimed[1])):
        if seen is None:
            missing.append((name, "capacity"))
        elif seen != said:
            raise Refusal("E-MEDIUM", f"{name} {seen}, {said} in the tag")
    if 2 in claimed:
        if medium.usb is None:
            missing.append(("usb", "usb"))
        elif [*medium.usb[:2], canonical_serial(medium.usb[2])] != claimed[2]:
            raise Refusal("E-MEDIUM", f"USB {medium.usb}, {claimed[2]} in the tag")
    note_missing(missing, inputs.policy, outcome)


def check_boot(claims, inputs, outcome):
    if not inputs.medium.has_boot_areas:
        return note_missing([("boot areas", "boot")], inputs.policy, outcome)
    for kind, volume, start, length, digest in claims[7][3]:
        filesystem = None if volume is None else claims[8][volume][3]
        if area_digest(kind, filesystem, inputs.medium.read(start, length)) != digest:
            raise Refusal("E-BOOT", f"area of kind {kind} at {start}")


def check_anything_compared(claimed, medium):
    """What is seen was compared by now."""
    usb = 2 in claimed and medium.usb is not None
    if (medium.capacity is None or medium.block is None) and not usb and not medium.has_boot_areas:
        raise Refusal("E-NOT-AVAILABLE", "nothing of the medium to compare at level identity")


def note_missing(missing, policy, outcome):
    for name, rule in missing:
        if not policy.accepts_missing(rule):
            raise Refusal("E-NOT-AVAILABLE", name)
        outcome.not_available.append(name)

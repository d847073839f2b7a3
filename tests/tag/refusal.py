# SPDX-License-Identifier: GPL-2.0-or-later
"""The codes of section 17 of docs/tag-format.md, and the exception that carries one out of the steps of section 15."""

CODES = frozenset(
    """E-NO-TAG E-FORMAT E-VERSION E-ENCODING E-ENVELOPE E-TYP E-SIGNATURES E-ALGORITHM E-CERTIFICATE E-NAME E-KEY-USAGE
    E-CERTIFICATE-TIME E-CHAIN E-SITE E-CRL-MISSING E-CRL-OLD E-CRL-STALE E-REVOKED-STATION E-SIGNATURE E-CLAIMS
    E-SITE-POLICY E-VERDICT E-EXCEPTION E-NOT-YET-VALID E-EXPIRED E-TOO-OLD E-LIST E-LIST-OLD E-LIST-MISSING
    E-LIST-STALE E-REVOKED-TAG E-REPLAYED E-ENGINES E-BASE-AGE E-MANIFEST E-REVOKED-CONTENT E-MEDIUM E-NOT-AVAILABLE
    E-BOOT E-ADDED E-REMOVED E-CHANGED E-UNREADABLE""".split()
)


class Refusal(Exception):
    """A tag is refused: the code for programs, and what exactly was wrong for whoever debugs a verifier."""

    def __init__(self, code, why):
        if code not in CODES:
            raise AssertionError(f"{code} is not a code of section 17")
        super().__init__(f"{code}: {why}")
        self.code = code
        self.why = why

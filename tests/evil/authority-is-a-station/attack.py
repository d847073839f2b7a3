# SPDX-License-Identifier: GPL-2.0-or-later
"""A station certifies another one."""

from forge import Holder

from forgery import Forgery

EXPECTED = "E-CHAIN"


def attack(scene):
    forgery = Forgery(scene)
    names = ["accueil-1.paris.blanche.invalid"]
    below = [Holder(a, "below", forgery.ends[a], ca=False, names=names, arc=1, **forgery.times) for a in (0, 1)]
    chains = [[below[a].der, forgery.ends[a].der, forgery.authority.issuers[a].der] for a in (0, 1)]

    def lengthen(headers):
        for header, chain in zip(headers, chains):
            header[33] = chain

    forgery.ends, forgery.edit_headers = below, lengthen
    forgery.seal()

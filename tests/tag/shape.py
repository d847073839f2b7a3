# SPDX-License-Identifier: GPL-2.0-or-later
"""The few words of CDDL (RFC 8610) that docs/tag-format.md uses, as functions that check a decoded value.

A rule returns nothing and raises `ShapeError`. Python's `True == 1` must not leak in: types are compared exactly.
"""

import re

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
LATEST = 253402300799


class ShapeError(Exception):
    """A value of another shape than the CDDL gives."""


def need(condition, why):
    if not condition:
        raise ShapeError(why)


def integer(low, high):
    def rule(value):
        need(type(value) is int and low <= value <= high, f"{value!r:.60} is no integer from {low} to {high}")

    return rule


def octets(low, high):
    def rule(value):
        need(type(value) is bytes and low <= len(value) <= high, f"{value!r:.60}: not {low} to {high} bytes")

    return rule


def boolean(value):
    need(type(value) is bool, f"{value!r:.60} is neither true nor false")


def null(value):
    need(value is None, f"{value!r:.60} is not null")


def text(value):
    need(type(value) is str and len(value.encode()) <= 255, f"{value!r:.60} is no text of up to 255 bytes")


def label(value):
    need(type(value) is str and LABEL.fullmatch(value), f"{value!r:.60} is no label")


def one_of(*values):
    def rule(value):
        need(any(type(value) is type(v) and value == v for v in values), f"{value!r:.60} is not one of {values}")

    return rule


def either(*rules):
    def rule(value):
        for one in rules:
            try:
                return one(value)
            except ShapeError:
                continue
        raise ShapeError(f"{value!r:.60} fits none of the alternatives")

    return rule


def items(low, high, each):
    """`[ low*high each ]`"""

    def rule(value):
        need(type(value) is list and low <= len(value) <= high, f"not an array of {low} to {high} items")
        for one in value:
            each(one)

    return rule


def tuple_of(*rules):
    """`[ a, b, c ]`"""

    def rule(value):
        need(type(value) is list and len(value) == len(rules), f"not an array of {len(rules)} items")
        for one, check in zip(value, rules):
            check(one)

    return rule


def fields(required, optional=None):
    """`{ 0: a, ? 1: b }`; an unknown key is refused."""
    known = {**required, **(optional or {})}

    def rule(value):
        need(type(value) is dict, "not a map")
        need(required.keys() <= value.keys(), f"keys {sorted(required.keys() - value.keys())} are missing")
        need(value.keys() <= known.keys(), "an unknown key")
        for key, one in value.items():
            try:
                known[key](one)
            except ShapeError as error:
                raise ShapeError(f"key {key}: {error}") from None

    return rule


def table(high, key_rule, value_rule):
    """`{ *high key => value }`"""

    def rule(value):
        need(type(value) is dict and len(value) <= high, f"not a map of up to {high} keys")
        for key, one in value.items():
            key_rule(key)
            value_rule(one)

    return rule


uint = integer(0, 2**64 - 1)
time = integer(0, LATEST)
uuid = octets(16, 16)
sha256 = octets(32, 32)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 4: JSON in the canonical form of RFC 8785, with integers only."""

import json

LARGEST = (1 << 53) - 1
DEEPEST = 16


class NotCanonical(Exception):
    """A text that is not the one form of what it says."""


def dump(value, depth=0):
    """The canonical text of a value."""
    if depth > DEEPEST:
        raise NotCanonical("nested too deeply")
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if type(value) is int:
        if not 0 <= value <= LARGEST:
            raise NotCanonical(f"{value} is not from 0 to 2^53 - 1")
        return str(value)
    if type(value) is str:
        # What Python escapes, and how, is what ECMAScript does.
        return json.dumps(value, ensure_ascii=False)
    if type(value) is list:
        return "[" + ",".join(dump(item, depth + 1) for item in value) + "]"
    if type(value) is dict:
        names = sorted(value, key=lambda name: name.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{dump(name)}:{dump(value[name], depth + 1)}" for name in names) + "}"
    raise NotCanonical(f"{value!r} is no integer")


def load(raw):
    """The value of bytes that must be canonical."""
    try:
        text = raw.decode("utf-8")
        value = json.loads(text)
        if dump(value).encode("utf-8") == raw:
            return value
    except (ValueError, RecursionError) as error:
        raise NotCanonical(str(error)) from None
    raise NotCanonical("another text than the canonical one")

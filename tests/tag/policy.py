# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections 14 and 16: the policy with its defaults, and what a verifier remembers. Both come from JSON."""

from dataclasses import dataclass, field

LEVELS = ("identity", "inventory", "full")


class PolicyError(Exception):
    """A policy or memory that cannot be used: which field, and what it may hold."""


@dataclass
class Policy:
    level: str = "full"
    sites: list | None = None
    max_tag_age: int | None = None
    fresh_bases: list = field(default_factory=lambda: ["daily"])
    max_base_age: int = 604_800
    min_engines: int = 1
    required_engines: list | None = None
    accept_exceptions: bool = False
    require_crl: bool = True
    max_crl_age: int = 2_678_400
    require_list: bool = False
    max_list_age: int = 2_678_400
    usb_not_available: str = "accept"
    capacity_not_available: str = "accept"
    boot_not_available: str = "accept"

    @classmethod
    def from_json(cls, values):
        defaults = vars(cls())
        for name, value in values.items():
            if name not in defaults:
                raise PolicyError(f"policy: {name} is not in section 16")
            check_type(name, value, defaults[name])
        policy = cls(**values)
        if policy.level not in LEVELS:
            raise PolicyError(f"policy: level {policy.level!r} is not one of {', '.join(LEVELS)}")
        return policy

    def accepts_missing(self, what):
        return getattr(self, f"{what}_not_available") == "accept"


def is_names(value):
    return type(value) is list and all(type(one) is str for one in value)


def check_type(name, value, default):
    if name in ("sites", "required_engines"):
        good = value is None or is_names(value)
    elif name == "fresh_bases":
        good = is_names(value) and all(one and "." not in one for one in value)
    elif name == "max_tag_age":
        good = value is None or type(value) is int
    elif name.endswith("_not_available"):
        good = value in ("accept", "refuse")
    else:
        good = type(value) is type(default)
    if not good:
        raise PolicyError(f"policy: {name} cannot be {value!r}")


class Clock:
    """Now, the remembered time, and the numbers that must not go back. Moved by verified CRLs and lists only.

    What this verification learns counts from the next one on (section 14): `now` and the numbers compared with are those of
    the beginning; `remembered`, `learned_crls` and `learned_lists` are what to keep.
    """

    def __init__(self, clock, memory=None):
        memory = memory or {}
        unknown = memory.keys() - {"time", "crls", "lists", "counters"}
        if unknown:
            raise PolicyError(f"memory: unknown {sorted(unknown)}")
        self.remembered = memory.get("time") or 0
        self.now = max(clock, self.remembered)
        self.crls = dict(memory.get("crls") or {})
        self.lists = dict(memory.get("lists") or {})
        self.counters = dict(memory.get("counters") or {})
        self.before = self.remembered
        self.forget()

    def forget(self):
        """As if nothing had been learned."""
        self.remembered, self.learned_crls, self.learned_lists = self.before, dict(self.crls), dict(self.lists)

    def memory(self):
        return {"time": self.remembered, "crls": self.learned_crls, "lists": self.learned_lists}

    def crl_number(self, issuer):
        return self.crls.get(issuer, 0)

    def saw_crl(self, issuer, number, moment):
        self._saw(self.learned_crls, issuer, number, moment)

    def saw_list(self, name, number, moment):
        self._saw(self.learned_lists, name, number, moment)

    def _saw(self, numbers, key, number, moment):
        numbers[key] = max(numbers.get(key, 0), number)
        self.remembered = max(self.remembered, moment)

# SPDX-License-Identifier: GPL-2.0-or-later
"""Section 9: one form for a serial that every host prints differently."""

import re


def canonical_serial(printed):
    """From Linux' `serial` or `ID_SERIAL_SHORT`; None: no serial."""
    if printed is None or any(not " " <= one <= "~" for one in printed) or "," in printed:
        return None
    upper = re.sub(r"[^A-Z0-9#+\-.:=@_]", "_", printed.upper())
    serial = re.sub(r"_+", "_", upper).strip("_")
    return serial if 1 <= len(serial) <= 126 else None


def windows_serial(instance):
    """From a Windows instance identifier, `USB\\…` or `USBSTOR\\…`."""
    last = instance.rsplit("\\", 1)[-1]
    if instance.upper().startswith("USBSTOR\\"):
        last = re.sub(r"&[0-9]+$", "", last)
    if last[1:2] == "&":
        return None
    return canonical_serial(last)

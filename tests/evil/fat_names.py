# SPDX-License-Identifier: GPL-2.0-or-later
"""Folder entries of FAT that no ordinary program writes (Microsoft, FAT32 file system specification 1.03, "Long Directory Entries")."""


def checksum(short):
    """Of a short name, in the entries of the long one in front of it ("ChkSum")."""
    total = 0
    for letter in short:
        total = ((total & 1) << 7) + (total >> 1) + letter & 0xFF
    return total


def long_entry(name, short):
    """The one entry of a long name of 12 letters at most, in front of this short one."""
    units = (name + "\0").encode("utf-16-le").ljust(26, b"\xff")
    return b"\x41" + units[:10] + bytes([0x0F, 0, checksum(short)]) + units[10:22] + bytes(2) + units[22:]

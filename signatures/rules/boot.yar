// Boot code. Tables and boot sectors with their reserved sectors are handed over as contents of their own; what lies in the
// gap behind a table is not.

rule Boot_Code_Hides_In_Memory
{
    meta:
        title = "Boot sector that takes memory from the system and stands between it and the disk"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1542.003, Bootkit; BIOS data area 0040:0013, interrupt vector 13h at 0000:004C"
    strings:
        // dec or sub word [413h] (also as 40:13 and with al/ax in between), and a write to 4Ch.
        $memory = { (ff 0e 13 04 | 83 2e 13 04 | 81 2e 13 04 | 48 a3 13 04 | 2d ?? 00 a3 13 04 | 83 e8 ?? a3 13 04 | ff 0e 13 00 | 83 2e 13 00) }
        $vector = { (a3 4c 00 | c7 06 4c 00 | 89 0? 4c 00 | 89 1? 4c 00 | 87 0? 4c 00 | 87 1? 4c 00 | 66 c7 06 4c 00 | 66 a3 4c 00 | 66 87 ?? 4c 00) }
    condition:
        filesize >= 512 and filesize <= 8MB and uint16(510) == 0xaa55 and $memory in (0..509) and $vector in (0..509)
}

rule Boot_Code_Demands_Ransom
{
    meta:
        title = "Boot code that tells the user that the disk was encrypted and asks for money"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "MITRE ATT&CK T1542.003 and T1486; Kaspersky, Petya (2016)"
    strings:
        $encrypted = /(files|disks?|drives?|data|pc|computer)[^\x00]{0,80}(encrypted|locked|blocked|destroyed|corrupted)/ nocase
        $money = /(bitcoin|[^a-z0-9]btc[^a-z0-9]|monero|ransom|\.onion|wallet|decryption key|purchase your key)/ nocase
    condition:
        filesize >= 512 and filesize <= 8MB and uint16(510) == 0xaa55
        // The code and its texts are in the first track.
        and $encrypted in (0..64KB) and $money in (0..64KB)
}

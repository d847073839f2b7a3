// What the self-test of a station looks for. Both are harmless. They stand here as hexadecimal, so that a copy of these
// rules on a medium is not taken for what they find.

rule Blanche_Test_Eicar
{
    meta:
        title = "EICAR anti-malware test file"
        author = "Blanche"
        version = "1"
        severity = "malicious"
        reference = "https://www.eicar.org/download-anti-malware-testfile/"
    strings:
        $eicar = { 58 35 4f 21 50 25 40 41 50 5b 34 5c 50 5a 58 35 34 28 50 5e 29 37 43 43 29 37 7d 24 45 49 43 41 52 2d 53 54 41 4e 44 41 52 44 2d 41 4e 54 49 56 49 52 55 53 2d 54 45 53 54 2d 46 49 4c 45 21 24 48 2b 48 2a }
    condition:
        $eicar
}

rule Blanche_Test_Marker
{
    meta:
        title = "Marker by which a station tests its own rules"
        author = "Blanche"
        version = "1"
        severity = "info"
        reference = "signatures/README.md"
    strings:
        $marker = { 42 4c 41 4e 43 48 45 2d 54 45 53 54 2d 4d 41 52 4b 45 52 2d 41 44 45 34 46 32 37 43 30 42 36 31 }
    condition:
        $marker
}

// What ransomware leaves and does.

rule Ransom_Note
{
    meta:
        title = "Letter that asks for money for encrypted files"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1486, Data Encrypted for Impact"
    strings:
        $encrypted = /(your|all|of|the|my) ([a-z]{1,20} ){0,4}(files|data|documents|network|servers?|computers?|systems?)[^.!?]{0,80} (has|have|are|were|was|is) (been )?([a-z]{1,12} ){0,2}(encrypted|locked|stolen and encrypted)/ nocase ascii wide
        $chiffre = /vos (fichiers|donn\S{1,3}es|documents|serveurs)[^.!?]{0,80}(ont \S{1,3}t\S{1,3}|sont) ([a-z]{1,14} ){0,2}(chiffr|crypt|verrouill)/ nocase ascii wide
        $money = /(bitcoin|monero|[^a-z]btc[^a-z]|[^a-z]xmr[^a-z]|ransom|ran\S{1,2}on|decrypt(or|er|ion) (tool|key|software|program)|pay(ment)? )/ nocase ascii wide
        $contact = /([a-z2-7]{16}|[a-z2-7]{56})\.onion|torproject\.org|tor browser|(protonmail|proton\.me|onionmail|tutanota|tuta\.io|cock\.li|aol\.com|airmail\.cc|session id|tox id|qtox|getsession)/ nocase ascii wide
        $threat = /(do not|don't|never|ne) ([a-z]{1,12} ){0,3}(rename|modify|recover|restore|third[ -]party|renomme|modifie)|only we |private key|unique key|personal id|your id|decryption id|will be (published|leaked|sold|destroyed|lost)/ nocase ascii wide
    condition:
        filesize < 64KB and not (uint16(0) == 0x5a4d and uint32(uint32(0x3c)) == 0x00004550) and uint32(0) != 0x464c457f
        and any of ($encrypted, $chiffre) and $money and $contact and $threat
}

rule Ransom_Deletes_Backups
{
    meta:
        title = "Script or program that deletes shadow copies and switches recovery off"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1490, Inhibit System Recovery"
    strings:
        $shadows1 = /vssadmin(\.exe)?"?[ \t]{1,8}delete[ \t]{1,8}shadows/ nocase ascii wide
        $shadows2 = /shadowcopy[ \t]{1,8}(where [^\r\n]{1,80} )?(\/nointeractive )?delete/ nocase ascii wide
        $shadows3 = /win32_shadowcopy[^\r\n]{0,120}(\.delete\(|remove-(wmi|cim))/ nocase ascii wide
        $shadows4 = /vssadmin(\.exe)?"?[ \t]{1,8}resize[ \t]{1,8}shadowstorage[^\r\n]{0,80}maxsize=401mb/ nocase ascii wide
        $recovery1 = /bcdedit(\.exe)?"?[^\r\n]{0,60}recoveryenabled[ \t]{1,8}no/ nocase ascii wide
        $recovery2 = /bcdedit(\.exe)?"?[^\r\n]{0,60}bootstatuspolicy[ \t]{1,8}ignoreallfailures/ nocase ascii wide
        $backup = /wbadmin(\.exe)?"?[ \t]{1,8}delete[ \t]{1,8}(catalog|systemstatebackup|backup)/ nocase ascii wide
    condition:
        filesize < 64MB and any of ($shadows*) and any of ($recovery*, $backup)
}

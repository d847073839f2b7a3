// Payloads of devices that pretend to be a keyboard (MITRE ATT&CK T1200 and T1059).

rule Keystrokes_Script
{
    meta:
        title = "Keystroke-injection script that opens a command interpreter"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "Hak5, DuckyScript; MITRE ATT&CK T1200"
    strings:
        $delay = /(^|[\r\n])[ \t]{0,16}(DELAY|DEFAULT_?DELAY|Q DELAY)[ \t]{1,4}[#$0-9a-z_]{1,30}[ \t]{0,8}[\r\n]/ nocase
        $keys = /[\r\n][ \t]{0,16}(Q )?(GUI|WINDOWS|COMMAND|META|CTRL[- ]ALT|ALT)[ \t]{1,4}(r|x|SPACE|t|F2)[ \t]{0,8}[\r\n]/ nocase
        $text = /[\r\n][ \t]{0,16}(Q )?STRING(LN|_DELAY [0-9]{1,5})?[ \t]{1,4}[^\r\n]{0,200}(powershell|cmd|mshta|curl|wget|terminal|iex|bash|https?:\/\/)/ nocase
        $enter = /[\r\n][ \t]{0,16}(Q )?(ENTER|STRINGLN)/ nocase
    condition:
        filesize < 256KB and all of them
}

rule Keystrokes_Firmware_Source
{
    meta:
        title = "Source of a microcontroller that types commands like a keyboard"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "Arduino, Keyboard library; Digistump, DigiKeyboard; MITRE ATT&CK T1200"
    strings:
        $library = /#include[ \t]{0,4}[<"](Digi)?Keyboard\.h[>"]/ nocase
        $keys = /(MOD_GUI_LEFT|KEY_LEFT_GUI|MODIFIERKEY_(LEFT_)?GUI)/
        $type = /Keyboard\.(print|println|write|sendKeyStroke)[ ]{0,2}\([ ]{0,2}(F\()?"[^"\r\n]{0,120}(powershell|cmd|mshta|iex|bash|https?:\/\/)/ nocase
    condition:
        filesize < 1MB and all of them
}

rule Keystrokes_Compiled
{
    meta:
        title = "Compiled keystroke payload (inject.bin) that types a command"
        author = "Blanche"
        version = "1"
        severity = "malicious"
        reference = "Hak5, USB Rubber Ducky inject.bin; USB HID Usage Tables 1.4, section 10; MITRE ATT&CK T1200"
    strings:
        // Pairs of usage and modifier: GUI+r, then "powershell" or "cmd", every pause being 00 and its length.
        $run = { 15 08 [0-64] 00 (ff | 64 | c8 | fa | f4) }
        $powershell = { 13 00 12 00 1a 00 08 00 15 00 16 00 0b 00 08 00 0f 00 0f 00 }
        $cmd = { 06 00 10 00 07 00 (28 00 | 37 00 08 00 1b 00 08 00 | 2c 00 38 00) }
    condition:
        filesize < 64KB and filesize % 2 == 0 and $run and any of ($powershell, $cmd)
}

// Web pages that carry a program in themselves or have Windows fetch one. libclamav hands over pages as they are and in a
// form without white space and in lower case; these rules read the former.

rule Html_Smuggles_Program
{
    meta:
        title = "Web page that unpacks a program, archive or disk image from its own text and saves it"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "MITRE ATT&CK T1027.006"
    strings:
        $script = "<script" nocase ascii wide
        // The beginning in base64 of: MZ, gzip, xz, zstd, PK 03 04, Rar!, 7z, CAB, VHDX, OLE2, LNK; and a JavaScript list of their bytes.
        $payload = /["'`](TVqQAA|TVpQAA|TVoAAA|H4sI[A-D]|\/Td6WFo|KLUv\/|UEsDB[AB]|UmFyIRoH|N3q8ryc|TVNDRgAA|dmhkeGZpbGU|0M8R4KGxGuE|TAAAAAEUAg)[A-Za-z0-9+\/]{40}/ ascii wide
        $iso = /["'`]AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA[A-Za-z0-9+\/]{40}/ ascii wide
        $list = /\[[ ]{0,2}(0x4d,[ ]{0,2}0x5a,|77,[ ]{0,2}90,|0x50,[ ]{0,2}0x4b,[ ]{0,2}0x03,|80,[ ]{0,2}75,[ ]{0,2}3,[ ]{0,2}4,)/ nocase ascii wide
        $decode = /(atob|Uint8Array|fromCharCode|fromBase64)[ ]{0,2}\(/ nocase ascii wide
        $blob = /new[ ]{1,4}(Blob|File)[ ]{0,2}\(|data:application\/(octet-stream|zip|x-)/ nocase ascii wide
        $save1 = /createObjectURL/ nocase ascii wide
        $save2 = /msSave(OrOpen)?Blob/ nocase ascii wide
        $save3 = /\.download[ ]{0,2}=|setAttribute[ ]{0,2}\([ ]{0,2}["']download["']/ nocase ascii wide
        $go = /\.click[ ]{0,2}\(|msSave(OrOpen)?Blob|dispatchEvent|location(\.href)?[ ]{0,2}=/ nocase ascii wide
    condition:
        $script and any of ($payload, $iso, $list) and $decode and $blob and any of ($save*) and $go
}

rule Html_Saves_By_Itself
{
    meta:
        title = "Web page that decodes a long text and saves it under a program's or archive's name"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1027.006"
    strings:
        $page = /<(html|body|script|!doctype|svg)/ nocase ascii wide
        $text = /["'`][A-Za-z0-9+\/=]{2000}/ ascii wide
        $decode = /(atob|Uint8Array|fromCharCode|charCodeAt)[ ]{0,2}\(/ nocase ascii wide
        $save = /createObjectURL|msSave(OrOpen)?Blob/ nocase ascii wide
        $name = /["'`][^"'`\r\n<>]{1,80}\.(exe|scr|zip|rar|7z|iso|img|vhdx?|js|jse|vbs|hta|lnk|msi|one|docm|xlsm|bat|cmd|ps1|jar)["'`]/ nocase ascii wide
        $go = /\.click[ ]{0,2}\(|msSave(OrOpen)?Blob|dispatchEvent/ nocase ascii wide
    condition:
        $page in (0..4096) and all of them
}

rule Html_Diagnostic_Tool_Runs_Command
{
    meta:
        title = "Page or document that has Windows' diagnostic tool run a command"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "CVE-2022-30190; Microsoft, ms-msdt protocol"
    strings:
        $protocol = /ms-msdt:[ \/-]{1,8}id/ nocase ascii wide
        $parameter = /IT_(BrowseForFile|RebrowseForFile|LaunchMethod)[ ]{0,4}=/ nocase ascii wide
        $command = /\$\(|invoke-expression|mpsigstub|\.\.\/\.\.\/|%5c\.\./ nocase ascii wide
    condition:
        filesize < 16MB and all of them
}

rule Html_Searches_Foreign_Computer
{
    meta:
        title = "Page or link that opens a search on another computer, shown like a folder of this one"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1204.001; Microsoft, search-ms protocol, parameter crumb"
    strings:
        $search = /search(-ms)?:[^"'<>\r\n]{0,200}crumb=location(:|%3a)(\\\\|%5c%5c|https?(:|%3a)|\/\/|%2f%2f)[^"'<>\r\n]{0,200}/ nocase ascii wide
    condition:
        filesize < 16MB and $search
}

rule Html_Clipboard_Command
{
    meta:
        title = "Page that puts a command into the clipboard and asks to paste it where it runs"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1204.004, Malicious Copy and Paste"
    strings:
        $clipboard = /clipboard\.writetext[ ]{0,2}\(|execcommand[ ]{0,2}\([ ]{0,2}["']copy["']|setdata[ ]{0,2}\([ ]{0,2}["']text/ nocase ascii wide
        $command = /(powershell|pwsh|mshta|cmd(\.exe)?[ ]{1,4}\/c|msiexec|curl|wscript|rundll32)(\.exe)?[ ][^\r\n]{0,200}(-e(nc|ncodedcommand|c)? |-w[a-z]{0,10} (h|1)|iex|iwr |irm |https?:\/\/)/ nocase ascii wide
        $dialog = /(win(dows)?([ ]key)?[ ]{0,2}(<\/[a-z]{1,8}>)?[ ]{0,2}(\+|and|plus|et)[ ]{0,2}(<[a-z]{1,8}[^>]{0,60}>)?[ ]{0,2}(r|x)[^a-z]|&#8862;|fa-windows)/ nocase ascii wide
        $paste = /ctrl[ ]{0,2}(<\/[a-z]{1,8}>)?[ ]{0,2}\+[ ]{0,2}(<[a-z]{1,8}[^>]{0,60}>)?[ ]{0,2}v/ nocase ascii wide
    condition:
        filesize < 16MB and all of them
}

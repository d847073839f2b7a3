// Small text files that Explorer acts upon: .url, .scf, .library-ms, .searchConnector-ms, .theme, .settingcontent-ms, .msc,
// .iqy, .slk.

rule Link_Url_Starts_Program
{
    meta:
        title = "Internet shortcut that opens a program instead of a page"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1204.002; CVE-2023-36025, CVE-2024-21412"
    strings:
        $section = /(^|[\r\n])[ \t]{0,16}\[InternetShortcut(\.[AW])?\]/ nocase ascii wide
        $url = /[\r\n][ \t]{0,16}URL[ \t]{0,8}=[ \t]{0,8}"?(file:|\\\\|[a-z]:\\|shell:|ms-[a-z]{1,30}:|search-ms:|javascript:|vbscript:)[^\r\n]{1,300}\.(exe|scr|com|pif|bat|cmd|lnk|url|js|jse|vbs|vbe|wsf|hta|ps1|msi|cpl|dll|jar|zip|library-ms)/ nocase ascii wide
    condition:
        filesize < 16MB and $section and $url
}

rule Link_Url_Starts_Program_From_Web_Folder
{
    meta:
        title = "Internet shortcut that starts a program from a web folder, or a Windows program in one"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "CVE-2024-21412; CVE-2025-33053; Microsoft, WebDAV redirector"
    strings:
        $section = /(^|[\r\n])[ \t]{0,16}\[InternetShortcut(\.[AW])?\]/ nocase ascii wide
        $web = /[\r\n][ \t]{0,16}URL[ \t]{0,8}=[ \t]{0,8}"?(file:)?[\\\/]{2,4}[^\r\n\\\/]{1,120}@[^\r\n]{1,200}\.(exe|scr|com|pif|bat|cmd|lnk|url|js|jse|vbs|vbe|wsf|hta|ps1|msi|cpl|dll|zip)/ nocase ascii wide
        $program = /[\r\n][ \t]{0,16}URL[ \t]{0,8}=[ \t]{0,8}"?(file:[\\\/]{0,3})?[a-z]:[\\\/][^\r\n]{1,200}\.exe/ nocase ascii wide
        $folder = /[\r\n][ \t]{0,16}WorkingDirectory[ \t]{0,8}=[ \t]{0,8}"?\\\\[^\r\n\\]{1,120}/ nocase ascii wide
    condition:
        filesize < 16MB and $section and ($web or ($program and $folder))
}

rule Link_Asks_Foreign_Computer_For_Icon
{
    meta:
        title = "Link file whose icon lies on another computer, which hands over the user's credentials"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1187, Forced Authentication"
    strings:
        $url = /(^|[\r\n])[ \t]{0,16}\[InternetShortcut(\.[AW])?\]/ nocase ascii wide
        $theme = /(^|[\r\n])[ \t]{0,16}\[Theme\]/ nocase ascii wide
        $icon = /[\r\n][ \t]{0,16}(IconFile|BrandImage|Wallpaper)[ \t]{0,8}=[ \t]{0,8}"?(\\\\|file:\/\/[^\/])[^\r\n\\]{1,120}/ nocase ascii wide
    condition:
        filesize < 16MB and any of ($url, $theme) and $icon
}

rule Link_Shell_Command_Asks_Foreign_Computer
{
    meta:
        title = "Explorer command file (.scf) whose icon lies on another computer"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "MITRE ATT&CK T1187, Forced Authentication"
    strings:
        $section = /(^|[\r\n])[ \t]{0,16}\[Shell\]/ nocase ascii wide
        $command = /[\r\n][ \t]{0,16}Command[ \t]{0,8}=[ \t]{0,8}[0-9]/ nocase ascii wide
        $icon = /[\r\n][ \t]{0,16}IconFile[ \t]{0,8}=[ \t]{0,8}"?(\\\\|https?:)[^\r\n\\]{1,120}/ nocase ascii wide
    condition:
        filesize < 16MB and all of them
}

rule Link_Library_On_Foreign_Computer
{
    meta:
        title = "Library or search connector whose files lie on another computer"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "CVE-2025-24071; MITRE ATT&CK T1187; Microsoft, Library Description Schema and Search Connector Description Schema"
    strings:
        $library = /<(library|searchConnector)Description[ >]/ nocase ascii wide
        $search = /<persistedQuery[ >]/ nocase ascii wide
        $url = /<url>[ \t\r\n]{0,40}(\\\\|https?:\/\/|file:\/\/[^\/])[^<]{1,200}/ nocase ascii wide
        $include = /<include[ ][^>]{0,120}path="(\\\\|https?:|file:\/\/[^\/])/ nocase ascii wide
    condition:
        filesize < 16MB and (($library and $url) or ($search and $include))
}

rule Link_Setting_Runs_Command
{
    meta:
        title = "Settings link that runs a command"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "CVE-2018-8414; MITRE ATT&CK T1204.002"
    strings:
        $setting = /<(SearchableContent|PCSettings)[ >]/ nocase ascii wide
        $link = /<DeepLink>[^<]{0,200}(cmd|powershell|mshta|rundll32|wscript|cscript|regsvr32|msiexec|\.hta|\.vbs|\.js|https?:)/ nocase ascii wide
    condition:
        filesize < 16MB and all of them
}

rule Link_Console_Runs_Script
{
    meta:
        title = "Management console file that runs a script"
        author = "Blanche"
        version = "2"
        severity = "malicious"
        reference = "Elastic Security Labs, GrimResource (2024); MITRE ATT&CK T1218.014"
    strings:
        $console = "<MMC_ConsoleFile" nocase ascii wide
        $redirect = /apds\.dll\/redirect\.html/ nocase ascii wide
        $script = /(javascript|vbscript):/ nocase ascii wide
        $style = /<ms:script|msxsl:script|urn:schemas-microsoft-com:xslt/ nocase ascii wide
    condition:
        filesize < 16MB and $console in (0..1024) and any of ($redirect, $script, $style)
}

rule Link_Console_Task
{
    meta:
        title = "Management console file with a task that starts an interpreter"
        author = "Blanche"
        version = "1"
        severity = "suspicious"
        reference = "Elastic Security Labs, GrimResource (2024); MITRE ATT&CK T1218.014"
    strings:
        $console = "<MMC_ConsoleFile" nocase ascii wide
        $task = /<Task[^>]{0,400}Type="CommandLine"[^>]{0,400}Command="[^"]{0,200}(powershell|cmd|mshta|wscript|cscript|rundll32)/ nocase ascii wide
    condition:
        filesize < 16MB and $console in (0..1024) and $task
}

rule Link_Web_Query
{
    meta:
        title = "Excel web query: fetches the cells of a sheet, formulas included, from the network"
        author = "Blanche"
        version = "2"
        severity = "suspicious"
        reference = "MITRE ATT&CK T1204.002 and T1221; Microsoft, Excel web query file"
    strings:
        $query = /^WEB[ \t]{0,4}\r?\n1[ \t]{0,4}\r?\n(https?|ftp|file):/ nocase
    condition:
        filesize < 16MB and $query at 0
}

rule Link_Symbolic_Link_Sheet_Runs_Program
{
    meta:
        title = "SYLK sheet with a macro or formula that starts a program"
        author = "Blanche"
        version = "1"
        severity = "malicious"
        reference = "Outflank, Abusing the SYLK file format (2019); MITRE ATT&CK T1137"
    strings:
        $macro = /\nO;(P;)?E/
        $auto = /;NAuto_(open|close|activate)/ nocase
        $call = /;E[^\r\n]{0,200}(EXEC|CALL|REGISTER|FORMULA)[ ]{0,2}\(/ nocase
        $dde = /;E[ "=+@-]{0,4}(cmd|powershell|mshta|msexcel|rundll32|regsvr32)\|/ nocase
    condition:
        filesize < 16MB and uint32be(0) == 0x49443b50 and (($call and any of ($macro, $auto)) or $dde)
}

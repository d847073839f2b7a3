#!/usr/bin/env python3
"""Counts what the rules of signatures/ find in files that nobody suspects.

Ordinary files of this system and of a list of Debian packages (fetched by apt-get download, unpacked, never installed) are
copied into one folder, which the real programs scan. Every finding of a rule there is a false positive. None is allowed to be
that is malicious and two that are suspicious in 10 000 files; more, or fewer files, and the exit code is 1.

What is looked at: every file once by content, 1 byte to 8 MiB, at most PER_FOLDER of one folder, so that no single program
of the system makes up the set. The choice is by name order and has no chance in it.
"""

import argparse
import collections
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ["/usr/share", "/usr/lib", "/usr/bin", "/etc"]
# Scripts, pages, office templates, PDF, sources that colour PowerShell and batch, boot sectors, Windows programs.
PACKAGES = """
    libreoffice-common python3.11-doc debian-handbook nodejs-doc libjs-bootstrap4 libjs-jquery-ui gnuplot-doc vim-runtime
    highlight-common python3-pygments ruby-rouge syslinux-common grub-pc-bin memtest86+ win32-loader samba-common nsis-common
    geany-common libjs-codemirror node-prismjs libjs-highlight.js fonts-dejavu-extra mingw-w64-common
    ooo-thumbnailer dokuwiki wordpress phpmyadmin roundcube-core
""".split()
# Test files of an antivirus: each carries a program on purpose, and is found for it.
NOT_ORDINARY = {"clamav-testfiles"}
SMALLEST, LARGEST, PER_FOLDER = 1, 8 << 20, 60
ENOUGH, MALICIOUS, SUSPICIOUS = 10_000, 0, 2


def unpack(work: pathlib.Path) -> list[pathlib.Path]:
    """Fetches and unpacks the packages; one that the configured suite does not have is named and left out."""
    fetched, folders = work / "packages", []
    fetched.mkdir()
    for package in PACKAGES:
        command = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", package]
        done = subprocess.run(command, cwd=fetched, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"not available: {package} ({done.stderr.strip().splitlines()[-1:]})", file=sys.stderr)
            continue
        archive = next(fetched.glob("*.deb"))
        folder = work / "unpacked" / package
        folder.mkdir(parents=True)
        subprocess.run(["dpkg-deb", "--extract", archive, folder], check=True)
        archive.unlink()
        folders.append(folder)
    return folders


def ordinary(folders: list[pathlib.Path], limit: int):
    """Paths of regular files, evenly over the folders."""
    found = 0
    for folder in folders:
        for parent, below, names in os.walk(folder):
            below[:] = sorted(set(below) - NOT_ORDINARY)
            here = 0
            for name in sorted(names):
                path = pathlib.Path(parent, name)
                if here == PER_FOLDER or found == limit:
                    break
                if path.is_symlink() or not path.is_file() or not SMALLEST <= path.stat().st_size <= LARGEST:
                    continue
                here, found = here + 1, found + 1
                yield path


def gather(work: pathlib.Path, limit: int) -> dict[str, str]:
    """Copies the files into one folder of folders; name there -> where it comes from."""
    target, origin, seen = work / "ordinary", {}, set()
    sources = [(unpack(work), limit // 2)] + [([pathlib.Path(folder)], limit // 4) for folder in FOLDERS]
    # A copy of this repository's rules and pages is no attack either.
    sources.append(([ROOT / "signatures", ROOT / "docs"], limit // 4))
    for folders, part in sources:
        for path in ordinary(folders, part):
            try:
                content = path.read_bytes()
            except OSError:
                continue
            digest = hashlib.sha256(content).digest()
            if digest in seen:
                continue
            seen.add(digest)
            name = f"{len(origin) // 1000:03}/{len(origin) % 1000:03}{path.suffix[:12]}"
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(content)
            origin[name] = str(path)
    return origin


def scan(programs: pathlib.Path, work: pathlib.Path) -> dict:
    """The report of the real programs with the rules of this repository."""
    settings = work / "blanche.toml"
    signatures = ROOT / "signatures"
    settings.write_text(f'[bases]\nclamav = ["{signatures}/clamav"]\nrules = ["{signatures}/rules"]\nrequired = []\nfresh = []\n')
    settings.chmod(0o600)
    command = [programs / "blanche", "--config", settings, "scan", "--json", work / "ordinary"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return json.loads(done.stdout)
    except json.JSONDecodeError:
        sys.exit(f"blanche gave no report, code {done.returncode}:\n{done.stderr}")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--programs", type=pathlib.Path, required=True, help="folder with blanche and its programs")
    arguments.add_argument("--files", type=int, default=24_000, help="at most so many files")
    options = arguments.parse_args()
    work = pathlib.Path(tempfile.mkdtemp(prefix="blanche-ordinary-"))
    try:
        origin = gather(work, options.files)
        report = scan(options.programs, work)
    finally:
        shutil.rmtree(work)
    # A rule that matches in a file and in a layer of it found one thing.
    found = collections.defaultdict(set)
    for file in report["findings"]:
        path = file["path"].lstrip("/")
        for finding in file["findings"]:
            if finding["engine"] == "yara-x":
                found[finding["severity"], finding["name"]].add(origin.get(path, path))
    files, size = report["content"]["files_checked"], report["content"]["bytes"]
    print(f"{files} files checked, {size / 1e6:.0f} MB")
    for (severity, rule), paths in sorted(found.items()):
        print(f"{severity:10} {rule:50} {len(paths)}")
        for path in sorted(paths)[:5]:
            print(f"           {path}")
    # What an ordinary file is not checked for keeps a person from the medium as well.
    causes = collections.Counter((line["cause"], str(line.get("detail") or "")) for line in report["not_checked"])
    for (cause, detail), number in causes.most_common():
        print(f"not checked  {cause} {detail:40} {number}")
    count = {word: sum(len(p) for (severity, _), p in found.items() if severity == word) for word in ("malicious", "suspicious")}
    print(f"{count['malicious']} malicious (allowed {MALICIOUS}), {count['suspicious']} suspicious (allowed {SUSPICIOUS})")
    if files < ENOUGH:
        sys.exit(f"only {files} files: {ENOUGH} are needed for a judgement")
    sys.exit(1 if count["malicious"] > MALICIOUS or count["suspicious"] > SUSPICIOUS else 0)


if __name__ == "__main__":
    main()

"""Office documents as people carry them, made at random: text, tables, slides, pictures, PDF, and macros that do nothing."""

import io
import itertools
import random
import struct
import zipfile
import zlib

SECTOR = 512
FREE, END, FAT_SECTOR = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
MACRO = b'Attribute VB_Name = "Module%d"\r\nSub Sum%d()\r\n    Range("A%d").Value = Range("B%d").Value * 1.2\r\nEnd Sub\r\n'


def corpus(folder, megabytes, chance):
    """Documents until there are enough bytes, a hundred in a folder. Returns bytes and how many."""
    makers = (("docx", docx), ("pdf", pdf), ("xlsx", xlsx), ("pptx", pptx), ("odt", odt), ("xlsm", xlsm), ("xls", xls))
    size = count = 0
    while size < megabytes * 1_000_000:
        kind, make = makers[count % len(makers)]
        path = folder / f"o{count // 100}" / f"{count}.{kind}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make(chance))
        size += path.stat().st_size
        count += 1
    return size, count


def vocabulary(chance, count):
    """Words, and how often each is used up to it: by Zipf's law."""
    words = [bytes(chance.choices(b"etaoinshrdlucmfwypvbgk", k=chance.randint(2, 11))) for _ in range(count)]
    return words, list(itertools.accumulate(1 / rank for rank in range(1, count + 1)))


VOCABULARY, FREQUENCY = vocabulary(random.Random(7), 2000)


def words(chance, count):
    """Text that deflates about as text does."""
    return b" ".join(chance.choices(VOCABULARY, cum_weights=FREQUENCY, k=count))


def picture(chance):
    """A PNG of noise (ISO/IEC 15948), 40 to 400 kB."""
    width, height = 200, chance.randint(70, 700)
    rows = b"".join(b"\0" + chance.randbytes(3 * width) for _ in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def package(parts, stored=()):
    """A ZIP file of named parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, data in (*stored, *parts):
            kind = zipfile.ZIP_STORED if name.endswith(".png") or name == "mimetype" else zipfile.ZIP_DEFLATED
            pack.writestr(zipfile.ZipInfo(name, (2026, 11, 1, 12, 0, 0)), data, kind)
    return out.getvalue()


def ooxml(main, kind, parts):
    """An Office Open XML package (ISO/IEC 29500-2) around a main part."""
    types = (f'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType='
             f'"application/xml"/><Default Extension="png" ContentType="image/png"/><Override PartName="/{main}" ContentType="{kind}"/></Types>')
    relations = (f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://'
                 f'schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="{main}"/></Relationships>')
    return package([("[Content_Types].xml", types), ("_rels/.rels", relations), *parts])


def paragraphs(chance, opening, closing, count):
    return b"".join(opening + words(chance, 60) + closing for _ in range(count))


def pictures(chance, folder, most):
    return [(f"{folder}/image{number}.png", picture(chance)) for number in range(chance.randint(0, most))]


def docx(chance):
    body = paragraphs(chance, b"<w:p><w:r><w:t>", b"</w:t></w:r></w:p>", chance.randint(20, 400))
    document = (b'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>' + body
                + b"</w:body></w:document>")
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    return ooxml("word/document.xml", kind, [("word/document.xml", document), *pictures(chance, "word/media", 4)])


def sheet(chance):
    rows = b"".join(b'<row r="%d">' % row + b"".join(b"<c><v>%d</v></c>" % chance.randrange(10**6) for _ in range(12)) + b"</row>"
                    for row in range(1, chance.randint(50, 2000)))
    return (b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>' + rows
            + b"</sheetData></worksheet>")


def workbook(chance, more=()):
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    book = '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheets/></workbook>'
    return ooxml("xl/workbook.xml", kind, [("xl/workbook.xml", book), ("xl/worksheets/sheet1.xml", sheet(chance)), *more])


def xlsx(chance):
    return workbook(chance)


def xlsm(chance):
    return workbook(chance, [("xl/vbaProject.bin", compound({"dir": chance.randbytes(600), "Module1": macros(chance)}))])


def xls(chance):
    return compound({"Workbook": words(chance, chance.randint(2000, 40000)), "Module1": macros(chance)})


def pptx(chance):
    slides = [(f"ppt/slides/slide{number}.xml", b'<p:sld xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main">'
               + paragraphs(chance, b"<a:p><a:r><a:t>", b"</a:t></a:r></a:p>", 5) + b"</p:sld>") for number in range(chance.randint(5, 40))]
    kind = "application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml"
    return ooxml("ppt/presentation.xml", kind, [("ppt/presentation.xml", "<p:presentation/>"), *slides, *pictures(chance, "ppt/media", 8)])


def odt(chance):
    text = (b'<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"><office:body>'
            + paragraphs(chance, b"<text:p>", b"</text:p>", chance.randint(20, 300)) + b"</office:body></office:document-content>")
    return package([("content.xml", text), *pictures(chance, "Pictures", 3)], [("mimetype", "application/vnd.oasis.opendocument.text")])


def pdf(chance):
    """PDF 1.7 (ISO 32000-1) with deflated pages and pictures."""
    objects = []

    def add(dictionary, stream=None):
        body = b"<<" + dictionary + b">>"
        if stream is not None:
            data = zlib.compress(stream)
            body = b"<</Filter/FlateDecode/Length %d" % len(data) + dictionary + b">>\nstream\n" + data + b"\nendstream"
        objects.append(body)
        return len(objects)

    add(b"/Type/Catalog/Pages 2 0 R")
    pages = add(b"")
    kids = []
    for _ in range(chance.randint(2, 60)):
        content = add(b"", b"BT /F1 11 Tf " + b" ".join(b"(" + words(chance, 12) + b") Tj T*" for _ in range(40)) + b" ET")
        if chance.random() < 0.1:
            width, height = 200, chance.randint(70, 500)
            image = b"/Type/XObject/Subtype/Image/ColorSpace/DeviceRGB/BitsPerComponent 8/Width %d/Height %d" % (width, height)
            add(image, chance.randbytes(3 * width * height))
        kids.append(add(b"/Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R" % content))
    objects[pages - 1] = b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(kids), b" ".join(b"%d 0 R" % kid for kid in kids))
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1) + b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(out + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(places) + 1, start))


def macros(chance):
    """Source of macros in a compressed container whose chunks are literal tokens only ([MS-OVBA] 2.4.1)."""
    source = b"".join(MACRO % (number, number, number, number) for number in (chance.randrange(1000) for _ in range(chance.randint(5, 60))))
    out = bytearray(b"\x01")
    for start in range(0, len(source), 3640):
        part = source[start:start + 3640]
        tokens = b"".join(b"\0" + part[place:place + 8] for place in range(0, len(part), 8))
        out += struct.pack("<H", 0xB000 | len(tokens) - 1) + tokens
    return bytes(out)


def compound(streams):
    """A compound file of version 3 ([MS-CFB] 2.2 to 2.6): streams in the root, none of them in the mini stream."""
    table, data, entries = [], bytearray(), []
    for name, content in streams.items():
        content = content.ljust(4096, b"\0")
        first, count = len(table), -(-len(content) // SECTOR)
        table += [*range(first + 1, first + count), END]
        data += content.ljust(count * SECTOR, b"\0")
        entries.append((name, 2, first, len(content)))
    directory = len(table)
    entries.insert(0, ("Root Entry", 5, END, 0))
    count = -(-len(entries) // 4)
    table += [*range(directory + 1, directory + count), END]
    for number in range(count * 4):
        name, kind, first, size = entries[number] if number < len(entries) else ("", 0, 0, 0)
        text = (name + "\0").encode("utf-16-le") if name else b""
        child = 1 if kind == 5 else FREE
        right = number + 1 if kind == 2 and number + 1 < len(entries) else FREE
        data += (text.ljust(64, b"\0") + struct.pack("<HBB3I", len(text), kind, 1, FREE, right, child) + bytes(36)
                 + struct.pack("<IQ", first, size))
    fats = 1
    while (len(table) + fats) * 4 > fats * SECTOR:
        fats += 1
    places = [len(table) + number for number in range(fats)]
    table += [FAT_SECTOR] * fats
    table += [FREE] * (fats * SECTOR // 4 - len(table))
    header = (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
              + struct.pack("<9I", 0, fats, directory, 0, 4096, END, 0, END, 0))
    difat = struct.pack(f"<{len(places)}I", *places).ljust(436, b"\xff")
    return header + difat + bytes(data) + struct.pack(f"<{len(table)}I", *table)

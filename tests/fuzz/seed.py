#!/usr/bin/env python3
"""Writes the smallest useful inputs into corpus/: python3 tests/fuzz/seed.py; what a fuzzer found is added by hand."""

import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent / "corpus"


def put(target, name, content):
    (HERE / target).mkdir(parents=True, exist_ok=True)
    (HERE / target / name).write_bytes(content)


def hex_record(kind, offset, data):
    body = bytes([len(data)]) + struct.pack(">HB", offset, kind) + data
    return b":" + (body + bytes([-sum(body) & 0xFF])).hex().upper().encode() + b"\n"


def s_record(kind, address, data):
    width = {1: 2, 2: 3, 3: 4, 7: 4, 8: 3, 6: 3}.get(kind, 2)
    body = bytes([width + len(data) + 1]) + address.to_bytes(width, "big") + data
    return b"S%d" % kind + (body + bytes([~sum(body) & 0xFF])).hex().upper().encode() + b"\n"


def elf(pieces, shnum=0):
    offset = 52 + 32 * len(pieces)
    head = b"\x7fELF\1\1\1".ljust(16, b"\0") + struct.pack(
        "<HHIIIIIHHHHHH", 2, 40, 1, 0, 52, 0, 0x05000000, 52, 32, len(pieces), 40, shnum, 0
    )
    data = b""
    for address, piece in pieces:
        head += struct.pack("<8I", 1, offset + len(data), address, address, len(piece), len(piece), 5, 4)
        data += piece
    return head + data


def uf2(address, data, number, count, family=0x4FB2D5BD, flags=0x2000):
    head = struct.pack("<8I", 0x0A324655, 0x9E5D5157, flags, address, len(data), number, count, family)
    return head + data.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)


linear = hex_record(4, 0, b"\x60\x00")
end = hex_record(1, 0, b"")
put("intel_hex", "linear", linear + hex_record(0, 0x2000, b"\1\2\3\4") + hex_record(5, 0, bytes(4)) + end)
put("intel_hex", "segment", hex_record(2, 0, b"\x10\0") + hex_record(0, 0x20, b"\7") + hex_record(3, 0, bytes(4)) + end)
put("intel_hex", "picture-of-flash", hex_record(0, 0, b"FCFB") + hex_record(0, 0x1000, b"\xd1\0\x20\x41") + end)
put("intel_hex", "overlap", hex_record(0, 0, b"\1\2") + hex_record(0, 1, b"\3") + end)
put("s_record", "s1", s_record(0, 0, b"x") + s_record(1, 0x10, b"\1\2") + s_record(5, 1, b"") + s_record(9, 0, b""))
put("s_record", "s2", s_record(2, 0xFFFFF0, b"\1\2") + s_record(6, 1, b"") + s_record(8, 0, b""))
put("s_record", "s3", s_record(3, 0x60002000, b"\1\2\3") + s_record(3, 0x60002003, b"\4") + s_record(7, 0, b""))
put("s_record", "picture-of-flash", s_record(1, 0, b"FCFB") + s_record(9, 0, b""))
put("elf", "segments", elf([(0x60002000, b"\1\2\3\4"), (0x60003000, b"\5")]))
put("elf", "overlap", elf([(0x60002000, b"\1\2\3\4"), (0x60002002, b"\5")]))
put("elf", "picture-of-flash", elf([(0, b"FCFB")]))
section = struct.pack("<10I", 0, 1, 2, 0x60002000, 84, 4, 0, 0, 4, 0)
with_sections = bytearray(elf([(0x60002000, b"\1\2\3\4")], 2) + bytes(40) + section)
with_sections[32:36] = struct.pack("<I", 88)
put("elf", "sections", bytes(with_sections))
put("uf2", "two-blocks", uf2(0x60002004, b"\5", 1, 2) + uf2(0x60002000, b"\1\2\3\4", 0, 2))
put("uf2", "two-families", uf2(0x10000000, b"\1", 0, 1, 0xE48BFF56) + uf2(0x60002000, b"\1", 0, 1))
put("uf2", "no-family", uf2(0x60002000, b"\1", 0, 1, 0, 0))
put("raw", "fcb", b"FCFB" + bytes(12))
put("raw", "ivt", b"\xd1\0\x20\x41" + bytes(28))
put("raw", "mcuboot", struct.pack("<I", 0x96F3B83D) + bytes(28))
put("raw", "vectors", struct.pack("<16I", 0x20001000, 0x60002041, *[0x60002043] * 14) + struct.pack("<I", 0x60002000))
put("raw", "at-end-of-bus", b"\xfe\xff\xff\xffab")

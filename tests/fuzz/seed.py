#!/usr/bin/env python3
"""Writes the smallest useful inputs into corpus/: python3 tests/fuzz/seed.py; what a fuzzer found is added by hand."""

import hashlib
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


def words(*values):
    return struct.pack("<%dI" % len(values), *values)


def block(changes):
    """An FCB: NXP's for the EVK with other words at some byte offsets."""
    known = {
        0x000: 0x42464346, 0x004: 0x56010400, 0x00C: 0x00030301, 0x040: 0x10, 0x044: 0x00050401, 0x050: 0x00800000,
        0x080: 0x0A1804EB, 0x084: 0x32041EFF, 0x088: 0x2604, 0x090: 0x24040405, 0x0B0: 0x0406, 0x0D0: 0x08180420,
        0x100: 0x081804D8, 0x110: 0x08180402, 0x114: 0x2004, 0x130: 0x0460, 0x1C0: 0x100, 0x1C4: 0x1000, 0x1C8: 1,
        0x1D0: 0x10000,
    }
    known.update(changes)
    return b"".join(words(known.get(at, 0)) for at in range(0, 512, 4))


def ivt(entry=0x60002000, dcd=0, csf=0, start=0x60000000, length=0x4000, plugin=0):
    head = words(0x412000D1, entry, 0, dcd, start + 0x1020, start + 0x1000, csf, 0)
    return head + words(start, length, plugin, 0xFFFFFFFF)


def slot(flags=0, load=0, protected=b"", tlvs=b"", application=words(0x20020000, 0x60020109) + bytes(32)):
    head = struct.pack("<IIHHIIBBHI", 0x96F3B83D, load, 0x100, len(protected), len(application), flags, 1, 2, 3, 4)
    body = head.ljust(0x100, b"\xff") + application + protected
    return body + (tlvs or area(0x6907, (0x10, hashlib.sha256(body).digest()), (0x22, bytes(8))))


def area(magic, *entries):
    body = b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in entries)
    return struct.pack("<HH", magic, 4 + len(body)) + body


DCD = bytes.fromhex("d2002c41 cc001404 400fc068ffffffff 400fc06c00000001 cf001014 402f003c0000000100001000 c0000400")
VECTORS = words(0x20020000, 0x60002041, *[0x60002043] * 14) + b"\xfe\xe7" * 8

put("merge", "two-files", bytes([0, 0, 0, 8, 255, 1, 4, 0, 8, 255]))
put("merge", "conflict", bytes([0, 0, 0, 8, 255, 1, 4, 0, 8, 2]))
put("merge", "end-of-bus", bytes([4, 0xF8, 0x0F, 63, 255, 5, 0xFF, 0x0F, 0, 255]))
put("merge", "overlap-in-one", bytes([2, 0, 0, 8, 255, 2, 4, 0, 8, 255, 3, 2, 0, 30, 255]))
put("fcb", "evk", block({}))
put("fcb", "circuit-python", block({0x010: 0x0101, 0x014: 0x0401, 0x018: 0x40, 0x0C0: 0x20010401}))
put("fcb", "ddr", block({0x080: 0x8A1804ED, 0x084: 0xA608B20C, 0x088: 0}))
put("fcb", "jump-on-cs", block({0x088: 0x7C002604}))
put("ivt", "sdk", ivt())
put("ivt", "teensy", ivt(entry=0x60001031, csf=0x60001400))
put("ivt", "copied", ivt(entry=0x2020A000, start=0x20208000))
put("dcd", "sdram", DCD)
put("dcd", "unlock", bytes.fromhex("d2001041 b2000800 00000001 c0000400"))
put("dcd", "bad-width", bytes.fromhex("d2001041 cc000c03 400fc068 00000001"))
put("mcuboot", "signed", slot())
put("mcuboot", "encrypted", slot(flags=4))
put("mcuboot", "ram-load", slot(flags=0x20, load=0x20208000))
put("mcuboot", "protected", slot(protected=area(0x6908, (0x50, words(7)))))
put("mcuboot", "cut-off", slot(tlvs=words(0x00406907)))
trailer = bytes.fromhex("77c295f360d2ef7f3552500f2cb67980")
put("mcuboot", "two-slots", slot().ljust(4096 - 24, b"\xff") + b"\1" + b"\xff" * 7 + trailer + slot(tlvs=b"x"))
put("judge", "headerless", bytes([2 | 4]) + VECTORS)
put("judge", "complete", bytes([0]) + block({}) + ivt().ljust(0x60, b"\xff") + VECTORS)
put("judge", "own-fcb-missing", bytes([2]) + ivt().ljust(0x60, b"\0") + VECTORS)
put("judge", "dcd", bytes([0]) + block({}) + ivt(dcd=0x60001030) + DCD.ljust(0x30, b"\0") + VECTORS)
put("judge", "signed", bytes([0]) + block({}) + ivt(csf=0x60002040).ljust(0x60, b"\0") + VECTORS[:64] + b"\xd4\0\x50\x42")
put("judge", "copied", bytes([0]) + block({}) + ivt(0x20208000 + 0x2000, start=0x20208000).ljust(0x60, b"\0")
    + words(0x20020000, 0x2020A009) + bytes(16))
put("judge", "bee", bytes([2 | 4 | 16]) + b"\x5a" * 32 + VECTORS)
put("judge", "slot", bytes([8, 64]) + block({}) + ivt().ljust(0x60, b"\xff") + VECTORS[:64] + slot())
put("judge", "replace", bytes([1 << 6]) + block({0: 0}) + ivt().ljust(0x60, b"\xff") + VECTORS)
put("judge", "data", bytes([2 | 4 | 3 << 6]) + bytes(16))
board = bytes([0]) + block({}) + ivt().ljust(0x60, b"\xff") + VECTORS
keep = bytes([2 | 4 | 32 | 2 << 6]) + VECTORS
put("judge", "header-of-board", keep.ljust(len(board), b"\xbf") + board)
partial = bytes([2 | 4 | 8 | 32, 0]) + slot()
put("judge", "under-bootloader-of-board", partial.ljust(len(board), b"\xff") + board)
put("judge", "picture", bytes([1]) + words(0x20020000, 0x60000041) + bytes(64))
put("mailbox", "program", bytes([0]) + words(0x1000) + bytes([70] + [8] * 20) + bytes([3, 1, 1] + [8] * 8))
put("mailbox", "reply", bytes([1]) + words(0, 64) + bytes([8, 8, 8, 1, 1, 0, 8, 0]) + words(0, 64, 0) + bytes([8] * 12))
put("mailbox", "fault", bytes([2, 8, 8, 8, 4, 1, 0, 8, 0x14]) + bytes(12) + bytes([6, 3, 4, 5, 7]))
put("server", "identify", bytes([0, 1 | 1 << 3]) + bytes(20))
put("server", "map", bytes([0, 1 | 2 << 3]) + words(0x1000, 0x2000, 7, 0, 0))
put("server", "digest", bytes([0, 1 | 3 << 3]) + words(0x1000, 0x2000, 7, 0, 0))
put("server", "erase", bytes([0, 1 | 4 << 3]) + words(0x1000, 0x1000, 0x20, 1, 0))
put("server", "program", bytes([0, 4]) + words(0x100) + bytes(range(16)) + bytes([1 | 6 << 3]) + words(0, 0, 0, 0, 0))
put("server", "read", bytes([0, 1 | 6 << 3]) + words(0, 0x2000, 0, 0, 0))
put("server", "status-and-stop", bytes([0, 1 | 7 << 3]) + words(0, 0, 0x40, 0x7C, 0) + bytes([1 | 9 << 3]) + bytes(20) + b"\6\7\7")
put("server", "chunk-that-never-comes", bytes([0, 1 | 5 << 3]) + words(0, 0x1000, 0, 1, 0) + bytes([6, 7]))
put("server", "other-setup", bytes([1, 4]) + words(0x1000) + bytes([11]) + words(0) + bytes([1 | 1 << 3]) + bytes(20))

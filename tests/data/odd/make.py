#!/usr/bin/env python3
"""Writes the malformed and unbootable Intel HEX files of this folder; README.md of the parent says what is wrong."""

import pathlib
import struct

HERE = pathlib.Path(__file__).resolve().parent
FLASH = 0x6000_0000
PROGRAM = 0x6000_2000
STACK = 0x2000_2000  # in DTCM
ENDLESS_LOOP = 0xE7FE  # Thumb `b .`
VECTOR_TABLE_BYTES = 0x40
RECORD_BYTES = 16
DATA, UPPER_ADDRESS = 0, 4
EOF_LINE = ":00000001FF"


def record(kind, offset, data):
    """One line: length, 16-bit offset, kind, data, and the checksum that makes the sum of all bytes 0."""
    body = struct.pack(">BHB", len(data), offset, kind) + data
    return ":" + (body + bytes([-sum(body) & 0xFF])).hex().upper()


def at(address, data):
    """Upper address record and data records of one contiguous piece that stays inside 64 KiB."""
    lines = [record(UPPER_ADDRESS, 0, struct.pack(">H", address >> 16))]
    for start in range(0, len(data), RECORD_BYTES):
        lines.append(record(DATA, (address + start) & 0xFFFF, data[start : start + RECORD_BYTES]))
    return lines


def program(base=PROGRAM, stack=STACK, reset=None):
    """The smallest program: 16 vectors and a loop behind them."""
    loop = (base + VECTOR_TABLE_BYTES) | 1
    vectors = [stack, loop if reset is None else reset] + [loop] * 14
    return struct.pack("<16IHH", *vectors, ENDLESS_LOOP, ENDLESS_LOOP)


def replaced(lines, number, text):
    """`lines` with line `number` (counted from 1, as messages do) replaced."""
    return lines[: number - 1] + [text] + lines[number:]


def flip_last_digit(line):
    return line[:-1] + ("0" if line[-1] != "0" else "1")


GOOD = at(PROGRAM, program())
WHOLE = GOOD + [EOF_LINE]

FILES = {
    # The control: nothing is wrong with it.
    "good.hex": WHOLE,
    # Malformed.
    "bad-checksum.hex": replaced(WHOLE, 3, flip_last_digit(WHOLE[2])),
    "bad-record.hex": replaced(WHOLE, 4, WHOLE[3].replace("6", "G", 1)),
    "bad-length.hex": replaced(WHOLE, 3, WHOLE[2][:-6]),
    "unknown-record-type.hex": replaced(WHOLE, 3, record(9, 0x2010, bytes(4))),
    "no-colon.hex": replaced(WHOLE, 3, WHOLE[2][1:]),
    "overlap.hex": GOOD + [record(DATA, 0x2008, b"\xaa\xbb\xcc\xdd"), EOF_LINE],
    "no-eof.hex": GOOD,
    "data-after-eof.hex": WHOLE + [record(DATA, 0x2100, b"\x01\x02\x03\x04")],
    "empty.hex": [],
    "only-eof.hex": [EOF_LINE],
    "not-hex.hex": ["This is not an Intel HEX file.", "Nobody should flash it."],
    # Well-formed, but of no use to the boot ROM.
    "outside-window.hex": at(0x2000_0000, program(base=0x2000_0000)) + [EOF_LINE],
    "beyond-flash.hex": GOOD + at(0x6080_0000, b"\x01\x02\x03\x04") + [EOF_LINE],
    "vectors-at-start.hex": at(FLASH, program(base=FLASH)) + [EOF_LINE],
    "entry-outside.hex": at(PROGRAM, program(reset=0x7000_0001)) + [EOF_LINE],
    "entry-even.hex": at(PROGRAM, program(reset=PROGRAM + VECTOR_TABLE_BYTES)) + [EOF_LINE],
    "stack-not-in-ram.hex": at(PROGRAM, program(stack=0x6000_4000)) + [EOF_LINE],
    "slot-only.hex": at(0x6002_0000, program(base=0x6002_0000)) + [EOF_LINE],
}

for name, lines in FILES.items():
    (HERE / name).write_bytes("".join(line + "\n" for line in lines).encode("ascii"))

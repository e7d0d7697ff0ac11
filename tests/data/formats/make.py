#!/usr/bin/env python3
"""Writes the fixtures of this folder from ../blinky-xip.*.hex: python3 tests/data/formats/make.py

S-record, binary and ELF by GNU binutils for Arm (arm-none-eabi-objcopy and -ld), UF2 by the few lines below, so that
what rtflash reads was written by other programs.
"""

import pathlib
import struct
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
HEADERLESS = "../blinky-xip.headerless.hex"
COMPLETE = "../blinky-xip.complete.hex"
APPLICATION = 0x6000_2000
# .data: the last bytes of the file, linked for DTCM and loaded from the flash
DATA_BYTES = 40


def run(tool, *arguments):
    # objcopy writes the name it was given into the S0 record: no folder of this machine
    subprocess.run([f"arm-none-eabi-{tool}", *map(str, arguments)], check=True, cwd=HERE)


def binary(source, target):
    run("objcopy", "-I", "ihex", "-O", "binary", source, target)


def elf(content, target):
    """A linked program with two segments whose physical addresses are in the flash, and one without content in RAM.

    With pages larger than the offset of the program in the flash GNU ld stretches the first segment over the ELF header,
    as in many real programs.
    """
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "text").write_bytes(content[:-DATA_BYTES])
        (folder / "data").write_bytes(content[-DATA_BYTES:])
        (folder / "program.s").write_text(
            """
            .section .text, "ax"
            .incbin "text"
            .section .data, "aw"
            .incbin "data"
            .section .bss, "aw", %nobits
            .space 64
            """
        )
        (folder / "program.ld").write_text(
            f"""
            MEMORY {{ FLASH (rx) : ORIGIN = {APPLICATION:#x}, LENGTH = 1M
                      DTCM (rw) : ORIGIN = 0x20002800, LENGTH = 64K }}
            SECTIONS {{
              .text : {{ *(.text) }} > FLASH
              .data : {{ *(.data) }} > DTCM AT > FLASH
              .bss (NOLOAD) : {{ *(.bss) }} > DTCM
              .stack (NOLOAD) : {{ . += 1024; }} > DTCM
            }}
            """
        )
        object_file = folder / "program.o"
        run("as", "-mcpu=cortex-m7", "-I", folder, "-o", object_file, folder / "program.s")
        run("ld", "--no-warn-rwx-segments", "-z", "max-page-size=0x4000", "-T", folder / "program.ld", "-o", target, object_file)


def uf2(content, start, family, target):
    """microsoft/uf2 README.md: blocks of 512 bytes with 256 bytes of data each."""
    pieces = [content[at : at + 256] for at in range(0, len(content), 256)]
    blocks = b""
    for number, piece in enumerate(pieces):
        head = struct.pack(
            "<8I",
            0x0A324655,
            0x9E5D5157,
            0x2000,
            start + 256 * number,
            len(piece),
            number,
            len(pieces),
            family,
        )
        blocks += head + piece.ljust(476, b"\0") + struct.pack("<I", 0x0AB16F30)
    target.write_bytes(blocks)


headerless = HERE / "blinky-xip.headerless.bin"
binary(HEADERLESS, headerless.name)
binary(COMPLETE, "blinky-xip.complete.bin")
run("objcopy", "-I", "ihex", "-O", "srec", "--srec-forceS3", HEADERLESS, "blinky-xip.headerless.srec")
elf(headerless.read_bytes(), "blinky-xip.headerless.elf")
uf2(headerless.read_bytes(), APPLICATION, 0x4FB2D5BD, HERE / "blinky-xip.headerless.uf2")
(HERE / "blinky-xip.headerless.elf").chmod(0o644)

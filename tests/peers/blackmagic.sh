#!/usr/bin/env bash
# Black Magic Debug's own host application on a served virtual board: it drives FlexSPI and flash by its own code, without any
# algorithm on the target. Not part of the default suite, because it needs that program (GPL; built from its source, v2.0.0,
# as `blackmagic` on PATH):
#
#     cargo build && tests/peers/blackmagic.sh
#
# RTFLASH names another rtflash than target/debug/rtflash. Exit 0 all as promised, 1 something not, 77 no blackmagic.
# shellcheck source=tests/peers/served.sh
. "$(dirname "$0")/served.sh"

need blackmagic "build Black Magic Debug v2.0.0 with its meson option for the host application"

# it polls by its own clock
serve "virtual:$board" --run-when-idle
# a fresh flash has QE = 0, which Black Magic Debug leaves so, and the image's FCB reads with four lines
step "rtflash sets QE and leaves another image" 0 "$rtflash" flash tests/data/blinky-xip.headerless.hex \
    --probe "1d50:6018:$address"
step "write a BIN" 0 blackmagic -d "$address" -w -a 0x60000000 $binary
said "Flash Write succeeded for 9148 bytes"
told "unknown what that pops"
holds $binary
step "verify it" 0 blackmagic -d "$address" -V -a 0x60000000 $binary
step "rtflash finds what it wrote" 0 "$rtflash" verify $image --probe "1d50:6018:$address"
said "EQUAL"
told "started the image at 0x60001031"
echo PASS

#!/usr/bin/env bash
# The unmodified probe-rs CLI on a served virtual board: read, write, download, verify, erase, reset, by exit code, by what it
# says, by the flash afterwards and by the board's report. Not part of the default suite, because it needs an installed CLI:
#
#     cargo install probe-rs-tools --version 0.32.0 --locked
#     cargo build && tests/peers/probe-rs-cli.sh
#
# RTFLASH names another rtflash than target/debug/rtflash. Exit 0 all as promised, 1 something not, 77 no probe-rs.
# shellcheck source=tests/peers/served.sh
. "$(dirname "$0")/served.sh"

need probe-rs "cargo install probe-rs-tools --version 0.32.0 --locked"
probe-rs --version
export NO_COLOR=1 RUST_BACKTRACE=0

serve "virtual:$board"
probe=(--protocol swd --probe "1d50:6018:$address" --non-interactive)
stock=("${probe[@]}" --chip MIMXRT1060)
ours=("${probe[@]}" --chip-description-path targets/probe-rs/rtflash-mimxrt1062.yaml --chip MIMXRT1062-IS25WP064)
quiet=--disable-progressbars
lawful='nothing was done that they forbid'

step "info shows the debug port and the ROM tables" 0 probe-rs info --verbose "${probe[@]}"
said "Debug Port: DPv1, MINDP"
said "0xe00fd000 ROM Table (Class 1), Designer: Freescale"
step "info alone: probe-rs cannot tell this chip by itself" 1 probe-rs info "${probe[@]}"
said "could not automatically be determined"

step "write to DTCM" 0 probe-rs write "${stock[@]}" b32 0x20000000 0xDEADBEEF 0xCAFEF00D
step "read it back" 0 probe-rs read "${stock[@]}" b32 0x20000000 2
said "20000000: deadbeef cafef00d"

step "download a HEX with the stock algorithm" 0 probe-rs download "${stock[@]}" $quiet --binary-format hex $image
told "$lawful"
holds $binary
step "verify says equal" 0 probe-rs verify "${stock[@]}" $quiet --binary-format hex $image
said "Verification successful"
step "verify says different (and exits with 0: probe-rs's way)" 0 probe-rs verify "${stock[@]}" $quiet $elf
said "contents do not match"
step "read the FCB through the flash window" 0 probe-rs read "${stock[@]}" b32 0x60000000 2
said "60000000: 42464346 56010400"
step "reset boots the image" 0 probe-rs reset "${stock[@]}"
told "started the image at 0x60001031"
told "core      runs, PC 0x6000"
step "the program counts in OCRAM" 0 probe-rs read "${stock[@]}" b32 0x20200000 1
said "20200000: 1000"

step "erase the chip" 0 probe-rs erase "${stock[@]}" $quiet
told "$lawful"
blank
step "download a BIN, verify, reset" 0 probe-rs download "${stock[@]}" $quiet --binary-format bin \
    --base-address 0x60000000 --verify --reset $binary
told "started the image at 0x60001031"
told "$lawful"
holds $binary
step "download an ELF" 0 probe-rs download "${stock[@]}" $quiet --verify $elf
told "$lawful"

step "erase with our algorithm in probe-rs" 0 probe-rs erase "${ours[@]}" $quiet
told "$lawful"
blank
step "download with our algorithm in probe-rs" 0 probe-rs download "${ours[@]}" $quiet --binary-format hex --verify --reset \
    $image
told "started the image at 0x60001031"
told "$lawful"
holds $binary
step "and back to the stock one" 0 probe-rs download "${stock[@]}" $quiet --binary-format hex --preverify --reset $image
told "started the image at 0x60001031"
told "$lawful"

step "connecting under reset fails: the reset pin of this chip resets its debug port" 1 probe-rs reset "${stock[@]}" \
    --connect-under-reset
said "No target responded to the debug port"
step "and a plain connection works afterwards" 0 probe-rs read "${stock[@]}" b32 0x60000000 1
said "60000000: 42464346"

step "rtflash finds what probe-rs wrote" 0 "$rtflash" verify $image --probe "1d50:6018:$address"
said "EQUAL"

for version in 0 1 2 3; do
    serve virtual --protocol-version "$version"
    step "download over version $version of the protocol" 0 probe-rs download --protocol swd --probe "1d50:6018:$address" \
        --non-interactive --chip MIMXRT1060 $quiet --binary-format hex --verify --reset $image
    told "started the image at 0x60001031"
    told "$lawful"
done
echo PASS

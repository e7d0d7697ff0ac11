# A virtual board served over TCP, and checks on what others' tools do with it; sourced by the scripts beside it.
# shellcheck shell=bash

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

rtflash=${RTFLASH:-target/debug/rtflash}
# shellcheck disable=SC2034 # for the scripts that source this
image=tests/data/blinky-xip.complete.hex binary=tests/data/formats/blinky-xip.complete.bin \
    elf=tests/data/formats/blinky-xip.headerless.elf

work=$(mktemp -d)
board=$work/board.bin
report=$work/report
output=$work/output
server=
reported=0
address=

# stop: ends the server, if there is one.
stop() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
        server=
    fi
}

end() {
    local code=$?
    stop
    rm -rf "$work"
    exit "$code"
}
trap end EXIT

# What went wrong, with what the tool and the board said.
fail() {
    echo "FAIL $*"
    echo "--- tool"
    cat "$output"
    echo "--- board"
    cat "$report"
    exit 1
}

# need TOOL HINT: ends with 77 where TOOL is not on PATH.
need() {
    if ! command -v "$1" >/dev/null; then
        echo "$1 is not on PATH: $2" >&2
        exit 77
    fi
}

# serve BOARD [OPTION...]: powers a board up, instead of the last one, and waits for the port.
serve() {
    stop
    : >"$output"
    : >"$report"
    reported=0
    "$rtflash" board serve "$@" >"$report" 2>&1 &
    server=$!
    for _ in $(seq 100); do
        address=$(sed -n 's/^listening \([^,]*\),.*/\1/p' "$report")
        [ -z "$address" ] || return 0
        sleep 0.1
    done
    fail "no board was served"
}

# step WHAT CODE COMMAND...: runs it, wants that exit code, and waits for the board's report on it.
step() {
    local what=$1 wanted=$2 code=0
    shift 2
    timeout 120 "$@" >"$output" 2>&1 </dev/null || code=$?
    [ "$code" = "$wanted" ] || fail "$what: exit $code, not $wanted: $*"
    for _ in $(seq 50); do
        if [ "$(grep -c '^core ' "$report")" -gt "$reported" ]; then
            reported=$((reported + 1))
            echo "ok   $what"
            return 0
        fi
        sleep 0.1
    done
    fail "$what: the board saw no client"
}

# said TEXT: the tool printed it.
said() {
    grep -qF -- "$1" "$output" || fail "the tool did not say: $1"
}

# told TEXT: the board's last report has it.
told() {
    tac "$report" | sed '/^client /q' | grep -qF -- "$1" || fail "the board did not report: $1"
}

# holds FILE: the flash file begins with these bytes.
holds() {
    cmp -s -n "$(stat -c %s "$1")" "$1" "$board" || fail "the flash does not hold $1"
}

# blank: the flash file holds nothing but FF.
blank() {
    [ -z "$(tr -d '\377' <"$board" | head -c 1)" ] || fail "the flash is not blank"
}

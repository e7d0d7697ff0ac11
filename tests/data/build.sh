#!/usr/bin/env bash
# Builds the fixtures tests/data/blinky-*.hex from apps/blinky.
#
#   tests/data/build.sh            rebuild and replace the committed files
#   tests/data/build.sh --check    rebuild beside them and compare, byte for byte
#
# Needs cargo, objcopy (Debian: binutils) and one of
#   - Debian's rustc-web + rust-web-src, the default where they are installed: builds `core` from source,
#   - a rustup toolchain with `rustup target add thumbv7m-none-eabi`.
# RUSTC chooses another compiler. Another compiler version may give other bytes: `built-with` names the one that
# made the committed files, and --check compares only under that one.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
app=$here/apps/blinky
target=thumbv7m-none-eabi
work=${BLINKY_TARGET_DIR:-$app/target}

case "${1:-}" in
  "") out=$here ;;
  --check) out=$work/hex && mkdir -p "$out" ;;
  *) echo "usage: $0 [--check]" >&2; exit 2 ;;
esac

# The toolchain's own lld: no GNU ARM linker is needed.
lld=$(find "$(rustc --print sysroot)/lib/rustlib" -name rust-lld -type f | head -n 1)
[ -n "$lld" ] || { echo "no rust-lld in the toolchain of $(command -v rustc)" >&2; exit 1; }

if [ -z "${RUSTC:-}" ] && [ -x /usr/bin/rustc ] && [ -e /usr/lib/rustlib/src/rust ]; then
  export RUSTC=/usr/bin/rustc
fi
compiler=$("${RUSTC:-rustc}" --version)
build_std=()
if ! [ -d "$("${RUSTC:-rustc}" --print sysroot)/lib/rustlib/$target" ]; then
  # compiler-builtins-mem: memcpy and friends, which nothing else provides here.
  build_std=(-Zbuild-std=core -Zbuild-std-features=compiler-builtins-mem)
  export RUSTC_BOOTSTRAP=1
fi
echo "compiler  $compiler"
echo "linker    $lld"

# $1 = features, $2 = name of the hex file
build() {
  (cd "$app" && CARGO_TARGET_THUMBV7M_NONE_EABI_LINKER="$lld" \
    cargo build --locked --quiet --release --target "$target" --target-dir "$work" \
      --features "$1" "${build_std[@]}")
  cp "$work/$target/release/blinky" "$work/$2.elf"
  # elf32-little: so that any host's objcopy will do.
  objcopy -I elf32-little -O ihex "$work/$2.elf" "$out/$2"
  echo "built     $out/$2"
}

names=()
for place in xip itcm; do
  build "$place,boot-header" "blinky-$place.complete.hex"
  build "$place" "blinky-$place.headerless.hex"
  names+=("blinky-$place.complete.hex" "blinky-$place.headerless.hex")
done

if [ "$out" = "$here" ]; then
  echo "$compiler" > "$here/built-with"
elif [ "$compiler" != "$(cat "$here/built-with")" ]; then
  echo "builds, but is not compared: the committed files were made by $(cat "$here/built-with")"
else
  for name in "${names[@]}"; do
    cmp "$out/$name" "$here/$name"
    echo "same      $name"
  done
fi

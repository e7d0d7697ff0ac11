#!/usr/bin/env bash
# The tests of the records that need a PostgreSQL server: installs one with apt if there is none, makes a cluster that is
# used for this run alone, starts it on loopback with a free port, runs the tests, stops and removes it.
#
# Arguments go to the test program, for example: tests/postgresql.sh ten_thousand --nocapture
set -euo pipefail
cd "$(dirname "$0")/.."

tools() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1; }
if ! command -v initdb > /dev/null && [[ ! -x $(tools)/initdb ]]; then
  export DEBIAN_FRONTEND=noninteractive
  # the distribution's own cluster is not wanted: it would be started at once
  mkdir -p /etc/postgresql-common
  [[ -e /etc/postgresql-common/createcluster.conf ]] \
    || echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
  apt-get update -qq
  apt-get install -y -qq postgresql > /dev/null
fi
bin=$(dirname "$(command -v initdb || echo "$(tools)/initdb")")

# PostgreSQL does not run as root.
as=()
if [[ $(id -u) == 0 ]]; then
  id postgres > /dev/null
  as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi

work=$(mktemp -d)
cleanup() {
  (cd / && "${as[@]}" "$bin/pg_ctl" --pgdata="$work/data" --mode=immediate stop > /dev/null 2>&1) || true
  rm -rf "$work"
}
trap cleanup EXIT
[[ ${#as[@]} == 0 ]] || chown postgres "$work"

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])' 2>/dev/null \
  || echo $((20000 + RANDOM % 20000)))
(
  cd /
  "${as[@]}" "$bin/initdb" --pgdata="$work/data" --username=line --auth=trust --encoding=UTF8 --locale=C.UTF-8 > /dev/null
  "${as[@]}" "$bin/pg_ctl" --pgdata="$work/data" --log="$work/log" --wait \
    --options="-h 127.0.0.1 -p $port -k $work -c max_connections=100" start > /dev/null
) || { cat "$work/log" >&2; exit 1; }
"$bin/postgres" --version

RTFLASH_TEST_POSTGRES="postgres://line@127.0.0.1:$port" \
  cargo test --locked --test records -- --ignored "$@"

#!/usr/bin/env bash
# Instructions of the server per operation, counted by callgrind: unlike times, the same on every run.
# After `cargo xtask bench`, which builds the server and the load generator.
set -euo pipefail

root=$(dirname "$0")/..
target=${CARGO_TARGET_DIR:-$root/target}
profile=$(mktemp)
trap 'rm -f "$profile" "$profile.log"' EXIT

cargo build --release --quiet --manifest-path "$root/Cargo.toml" --package wslink --features server --example dispatch

# Ends as what it runs: who started it in the background has its process.
callgrind() {
    exec valgrind --tool=callgrind --callgrind-out-file="$profile" "$@" >/dev/null 2>"$profile.log"
}

collected() {
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$profile.log"
}

# Instructions of a server that carries out "$1" "$2" times.
serve() {
    local port=$((20000 + RANDOM % 20000))
    callgrind "$target/release/wslink-example-bench-server" "$port" 1 &
    local server=$!
    until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.1; done
    "$target/bench/release/wslink-bench" --drive "127.0.0.1:$port" "$1" "$2"
    kill -TERM "$server"
    wait "$server" 2>/dev/null || true
    collected
}

# The same of a program that is server and client, over a stream in memory, with "$1" methods.
dispatch() {
    (callgrind "$target/release/examples/dispatch" "$1" "$2")
    collected
}

echo "| operation | instructions |"
echo "|---|---:|"
while read -r how what few many name; do
    # What starting and connecting cost is the same in both.
    echo "| $name | $((($("$how" "$what" "$many") - $("$how" "$what" "$few")) / (many - few))) |"
done <<'OPERATIONS'
serve call 1000 5000 call
serve lone 1000 5000 call that comes alone
serve event 1000 5000 event to 1 subscriber
serve event50 100 500 event to 50 subscribers
serve event1000 10 50 event to 1,000 subscribers
serve blob 10 50 result of 1 MiB
serve upload 10 50 argument of 1 MiB
dispatch 10 1000 5000 call and its client, 10 methods
dispatch 100 1000 5000 the same, 100 methods
dispatch 5000 1000 5000 the same, 5,000 methods
OPERATIONS

#!/usr/bin/env bash
# Instructions of the server per operation, counted by callgrind: unlike times, the same on every run.
# After `cargo xtask bench`, which builds what this runs.
set -euo pipefail

target=${CARGO_TARGET_DIR:-$(dirname "$0")/../target}
profile=$(mktemp)
trap 'rm -f "$profile"' EXIT

# Instructions of a server that carries out "$1" "$2" times.
count() {
    local port=$((20000 + RANDOM % 20000))
    valgrind --tool=callgrind --callgrind-out-file="$profile" \
        "$target/release/wslink-example-bench-server" "$port" 1 >/dev/null 2>"$profile.log" &
    local server=$!
    until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.1; done
    "$target/bench/release/wslink-bench" --drive "127.0.0.1:$port" "$1" "$2"
    kill -TERM "$server"
    wait "$server" 2>/dev/null || true
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p' "$profile.log"
    rm -f "$profile.log"
}

echo "| operation | instructions |"
echo "|---|---:|"
while read -r operation few many; do
    # What starting and connecting cost is the same in both.
    echo "| $operation | $((($(count "$operation" "$many") - $(count "$operation" "$few")) / (many - few))) |"
done <<'OPERATIONS'
call 1000 5000
event 1000 5000
blob 10 50
upload 10 50
OPERATIONS

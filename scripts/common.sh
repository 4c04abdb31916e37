# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

# Sourced by the other scripts: paths, output, and the number of jobs for this machine.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$root/.venv"
cache="$root/.cache"
artifacts="$root/artifacts"
client_js="$cache/socket.io.min.js"
# libmongoc leaves a file of counters in shared memory for each killed process, and warns when a later process has the same id.
export MONGOC_DISABLE_SHM=1

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() {
    printf '\033[31merror:\033[0m %s\n' "$*" >&2
    exit 1
}

# One compiler job per core, but no more than one per 2 GiB of memory. SWIFT_JOBS overrides.
jobs() {
    if [ -n "${SWIFT_JOBS:-}" ]; then
        printf '%s\n' "$SWIFT_JOBS"
        return
    fi
    local cores memory
    cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
    memory=$(awk '/^MemTotal:/ { print int($2 / 1048576 / 2) }' /proc/meminfo 2>/dev/null || true)
    [ -n "$memory" ] || memory=$cores
    [ "$memory" -ge 1 ] || memory=1
    [ "$memory" -lt "$cores" ] && cores=$memory
    printf '%s\n' "$cores"
}

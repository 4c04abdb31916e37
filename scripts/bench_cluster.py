# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Two nodes on a replica set under load, beside what the database does alone; called by scripts/bench-cluster."""

import argparse
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

from bench import ROOT, machine, number, write

BEGIN, END = "<!-- bench-cluster: begin -->", "<!-- bench-cluster: end -->"
FAULTS = ("lost", "duplicated", "out of order")
DRIVERS = {"change stream": ("change-stream", "ttl"), "tailable cursor": ("tailable", "capped")}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True, help="the folder of the executables")
    parser.add_argument("--runs", type=int, default=3, help="runs, of which the median counts")
    parser.add_argument("--seconds", type=int, default=10, help="seconds of each run")
    parser.add_argument("--output", type=Path, default=ROOT / "Documentation" / "Benchmarks.md")
    return parser.parse_args()


@contextlib.contextmanager
def process(*command, **options):
    """A process that has printed its first line."""
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True, **options)
    try:
        yield child, child.stdout.readline().strip()
    finally:
        if child.stdin:
            child.stdin.close()
        else:
            child.terminate()
        try:
            child.wait(60)
        except subprocess.TimeoutExpired:
            child.kill()


@contextlib.contextmanager
def replica_set(options):
    with process(options.bin / "SocketIOReplicaSet", stdin=subprocess.PIPE) as (_, line):
        if not line.startswith("ready "):
            sys.exit("the replica set did not start")
        yield line.removeprefix("ready ")


@contextlib.contextmanager
def nodes(options, uri, driver, collection):
    """Two servers of one cluster: URLs and process ids."""
    reading, expiration = DRIVERS[driver]
    command = [options.bin / "SocketIOLoadServer", "--loops", "1", "--mongodb", uri, "--driver", reading, "--expiration", expiration, "--collection", collection]
    with contextlib.ExitStack() as stack:
        found = []
        for _ in range(2):
            child, line = stack.enter_context(process(*command))
            match = re.fullmatch(r"listening (\d+)", line)
            if not match:
                sys.exit(f"a node did not start: {line!r}")
            found.append((f"http://127.0.0.1:{match[1]}", str(child.pid)))
        yield found


def generate(options, found, mode, *arguments):
    (first, first_pid), (second, second_pid) = found
    sender = ["--sender", second] if mode == "cluster" else ["--other", second] if mode == "broadcast-ack" else []
    command = [options.bin / "SocketIOLoadGenerator", mode, first, *sender, "--pid", first_pid, "--pid", second_pid]
    command += ["--format", "json", "--seconds", options.seconds, *arguments]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr)
    report = json.loads(done.stdout)
    for warning in report["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    return report["values"]


def bare(options, uri, part):
    """What SocketIOMongoFloor prints."""
    command = [options.bin / "SocketIOMongoFloor", str(options.seconds), part]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=True, env={**os.environ, "MONGODB_URI": uri}).stdout


def bare_values(options, uri):
    inserts, latency = bare(options, uri, "inserts"), bare(options, uri, "latency")
    values = {"bare documents/s": float(re.search(r"insert 100 at a time, one watcher: (\d+)", inserts)[1])}
    for driver in DRIVERS:
        match = re.search(rf"{driver}: insert to event p50 ([\d.]+) ms, p99 ([\d.]+) ms, client CPU (\d+) µs each", latency)
        values[f"{driver} bare p50"], values[f"{driver} bare p99"], values[f"{driver} bare CPU"] = map(float, match.groups())
    return values


def run(options, uri, turn):
    values = bare_values(options, uri)
    for driver in DRIVERS:
        with nodes(options, uri, driver, f"bench-{DRIVERS[driver][0]}") as found:
            slow = generate(options, found, "cluster", "--rate", "200", "--size", "64")
            fast = generate(options, found, "cluster", "--in-flight", "256", "--size", "64")
            asked = generate(options, found, "broadcast-ack", "--clients", "20")
        for name, report in (("slow", slow), ("fast", fast), ("asked", asked)):
            for key, value in report.items():
                values[f"{driver} {name} {key}"] = value
    print(f"run {turn + 1}: {json.dumps(values)}", file=sys.stderr)
    return values


def table(median):
    lines = ["| | change stream | tailable cursor |", "| --- | ---: | ---: |"]

    def row(title, value):
        lines.append(f"| {title} | " + " | ".join(value(driver) for driver in DRIVERS) + " |")

    def against(key):
        return lambda driver: (
            f"{number(median[f'{driver} slow latency {key}'], 2)} ({number(median[f'{driver} slow latency {key}'] / median[f'{driver} bare {key}'], 2)} ×)"
        )

    row("carried at saturation, 256 in flight, messages/s", lambda driver: number(median[f"{driver} fast deliveries"], 0))
    row("CPU of both nodes at saturation, µs per message", lambda driver: number(median[f"{driver} fast CPU per message"], 0))
    row("lost, duplicated, out of order", lambda driver: ", ".join(
        number(sum(median.get(f"{driver} {name} {key}", 0) for name in ("slow", "fast")), 0) for key in FAULTS))
    row("at 200 messages/s, emit to remote client: p50, ms (against bare)", against("p50"))
    row("p99, ms (against bare)", against("p99"))
    row("CPU of both nodes at 200 messages/s, µs per message", lambda driver: number(median[f"{driver} slow CPU per message"], 0))
    row("the same for one process that makes only bare inserts and reads them once, µs", lambda driver: number(median[f"{driver} bare CPU"], 0))
    row("bare insert to event: p50; p99, ms", lambda driver: f"{number(median[f'{driver} bare p50'], 2)}; {number(median[f'{driver} bare p99'], 2)}")
    row("broadcast with acknowledgement, 20 clients, one at a time: p50, ms", lambda driver: number(median[f"{driver} asked latency p50"], 1))
    lines.append(f"\nBare inserts in batches of 100 with one watcher: {number(median['bare documents/s'], 0)} documents/s.")
    return "\n".join(lines)


def main():
    options = parse_arguments()
    with replica_set(options) as uri:
        runs = [run(options, uri, turn) for turn in range(options.runs)]
    median = {key: statistics.median(values[key] for values in runs) for key in runs[0]}
    # One loss in one run is one too many for a median to hide.
    median |= {key: sum(values[key] for values in runs) for key in runs[0] if key.endswith(FAULTS)}
    how = (
        f"{machine()} Two nodes, three members (w: majority, default durability), generator and database share the cores; 64 B messages, "
        f"medians of {options.runs} runs of {options.seconds} s."
    )
    text = f"{how}\n\n{table(median)}"
    print(text)
    write(text, options.output, BEGIN, END)


if __name__ == "__main__":
    main()

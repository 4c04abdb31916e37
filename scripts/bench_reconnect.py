# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""A node with 10 000 clients is restarted while another one sends: are all back soon, with all messages? Called by scripts/bench-cluster."""

import argparse
import contextlib
import json
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench import ROOT, machine, number, write
from bench_cluster import replica_set

BEGIN, END = "<!-- bench-reconnect: begin -->", "<!-- bench-reconnect: end -->"
# The generator's name, what it is, digits.
ROWS = [
    ("all back after", "all connected again, after the restarted node accepted the first, s", 1),
    ("away in all", "from the first client's disconnection to the last one's return, s", 1),
    ("restart", "of that, until the restarted node was listening, s", 1),
    ("until connected p50", "a client's connecting, p50, ms", 0),
    ("until connected p99", "p99, ms", 0),
    ("CPU", "CPU of the restarted node until then, µs per client", 0),
    ("recovered", "sessions recovered", 0),
    ("messages", "messages sent to each client", 0),
    ("lost", "lost", 0),
    ("duplicated", "duplicated", 0),
    ("out of order", "out of order", 0),
]
FAULTS = ("lost", "duplicated", "out of order")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True, help="the folder of the executables")
    parser.add_argument("--runs", type=int, default=1, help="runs, of which the median counts")
    parser.add_argument("--clients", type=int, default=10_000, help="clients of the node that is restarted")
    parser.add_argument("--rate", type=float, default=1, help="messages per second that a client of the other node broadcasts")
    parser.add_argument("--output", type=Path, default=ROOT / "Documentation" / "Benchmarks.md")
    options, _ = parser.parse_known_args()
    return options


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Node:
    """A server of the cluster that keeps sessions."""

    def __init__(self, options, uri):
        self.port = free_port()
        self.command = [str(options.bin / "SocketIOLoadServer"), "--loops", "1", "--mongodb", uri, "--collection", "reconnect", "--recovery"]
        self.command += ["--port", str(self.port)]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        if not re.fullmatch(r"listening \d+\n", self.process.stdout.readline()):
            sys.exit("a node did not start")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            print("a node did not end within a minute of being told to", file=sys.stderr)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def cpu(self):
        """Seconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100


def wait_for_ready(generator):
    for line in generator.stderr:
        if line == "ready\n":
            return
        print(line, end="", file=sys.stderr)
    sys.exit("the load generator gave up")


def run(options, uri):
    with contextlib.ExitStack() as stack:
        first, second = Node(options, uri), Node(options, uri)
        stack.callback(first.stop)
        stack.callback(second.stop)
        command = [options.bin / "SocketIOLoadGenerator", "reconnect", first.url, "--sender", second.url, "--clients", options.clients]
        command += ["--rate", options.rate, "--timeout", 120, "--format", "json"]
        generator = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        stack.callback(generator.kill)
        wait_for_ready(generator)
        time.sleep(2)
        began = time.monotonic()
        first.stop()
        first.start()
        listening = time.monotonic() - began
        output, errors = generator.communicate(timeout=300)
        print(errors, end="", file=sys.stderr)
        if generator.returncode != 0:
            sys.exit("the load generator failed")
        values = json.loads(output)["values"]
        values |= {"restart": listening, "CPU": first.cpu() * 1e6 / options.clients}
    print(f"reconnect: {json.dumps(values)}", file=sys.stderr, flush=True)
    return values


def main():
    options = parse_arguments()
    began = time.monotonic()
    with replica_set(options) as uri:
        runs = [run(options, uri) for _ in range(options.runs)]
    values = {key: statistics.median(values[key] for values in runs) for key in runs[0]}
    # One loss in one run is one too many for a median to hide.
    values |= {key: sum(values[key] for values in runs) for key in FAULTS}
    lines = ["| | |", "| --- | ---: |"]
    lines += [f"| {title} | {number(values[key], digits)} |" for key, title, digits in ROWS]
    text = (
        f"{machine()} Measured with `scripts/bench-cluster`. Two nodes with connection state recovery on a replica set of three members; "
        f"{number(options.clients, 0)} clients on one of them, which is ended by SIGTERM and started again on the same port, while a client of "
        f"the other broadcasts {options.rate:g} messages a second. Clients that are refused try again after a quarter to three quarters of "
        f"a second. Everything shares the machine's cores; one event loop per node; {options.runs} run(s).\n\n" + "\n".join(lines)
    )
    print(text)
    print(f"reconnect took {time.monotonic() - began:.0f} s", file=sys.stderr)
    write(text, options.output, BEGIN, END)


if __name__ == "__main__":
    main()

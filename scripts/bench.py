# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Runs the load generator against several servers in turn and compares them; called by scripts/bench."""

import argparse
import contextlib
import dataclasses
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
OURS, BARE, BARE_NIO = "swift-socketio", "bare", "bare NIO"
FAULTS = ("lost", "duplicated", "out of order")

FAN_OUT = [("deliveries", "deliveries/s", 0, False), ("CPU per delivery", "CPU per delivery, µs", 2, True)]
ECHO = [("echoes", "echoes/s", 0, False), ("CPU per echo", "CPU per echo, µs", 2, True)]
LATENCY = [("latency p50", "p50, ms", 2, True), ("latency p99", "p99, ms", 2, True)]
CONNECTS = [("connects", "connects/s", 0, False), ("CPU per connect", "CPU each, µs", 0, True)]
MEMORY = [("memory per connection", "resident bytes each", 0, True), ("kept per closed connection", "retained after close, bytes", 0, True)]


SLOW = [
    ("deliveries to fast clients", "deliveries to the others, of 5 000/s", 0, False),
    ("latency p99", "their p99, ms", 1, True),
    ("growth per slow client", "memory per slow client, KiB", 0, True),
    ("cut off", "slow clients cut off", 0, False),
]


@dataclasses.dataclass
class Work:
    title: str
    arguments: str
    values: list  # (the generator's name, title, digits, whether smaller is better)
    batch: int | None = None  # messages per write of the bare server; None if it cannot do this work
    loops: int | None = None  # event loops of swift-socketio, if not those of the command line; then it runs alone, once and shorter
    options: str = ""  # for SocketIOLoadServer; then it runs alone
    best: bool = False  # the best run with a busy server counts, not the median: the rate is bistable with one message in flight
    seconds: float = 0  # at least
    once: bool = False  # does not vary from run to run


WORK = {
    "fan-out": Work("Fan-out: 1 000 receivers, 64 B, 16 in flight", "fan-out --in-flight 16", FAN_OUT, batch=16),
    "fan-out-1k": Work("Fan-out: 1 000 receivers, 1 KiB, 16 in flight", "fan-out --in-flight 16 --size 1024", FAN_OUT, batch=16),
    "fan-out-rate": Work("Fan-out: 1 000 receivers, 64 B, 20 messages/s", "fan-out --rate 20", FAN_OUT[1:] + LATENCY, batch=1, seconds=4),
    "echo-1": Work("Echo: 100 clients, 1 in flight", "echo --in-flight 1", ECHO, batch=1, best=True),
    "echo-8": Work("Echo: 100 clients, 8 in flight", "echo --in-flight 8", ECHO, batch=1),
    "echo-typed": Work("Echo, decoded and encoded: 100 clients, 8 in flight", "echo --in-flight 8 --event echo-typed", ECHO),
    "echo-rate": Work("Echo: 100 clients, 2 000/s", "echo --rate 2000", ECHO[1:] + LATENCY, batch=1, seconds=4),
    "connects": Work("Connecting: 10 000 clients", "connects", CONNECTS, batch=1),
    "idle": Work("Idle: 10 000 WebSocket connections", "idle", MEMORY, once=True),
    "idle-hummingbird": Work("Idle, in a Hummingbird application: 10 000", "idle", MEMORY, once=True, options="--hummingbird"),
    "idle-tls": Work("Idle, over TLS 1.3: 2 000", "tls", MEMORY, once=True, options="--certificate {certificate} --key {key}"),
    "broadcast-ack": Work("Broadcast with acknowledgement: 20 clients", "broadcast-ack", [("CPU per question", "CPU each, µs", 0, True)] + LATENCY),
    "slow-clients": Work(
        "500 clients that never read, 100 that do: 50 messages/s of 16 KiB", "slow-clients --slow 500 --rate 50 --size 16384", SLOW, seconds=10
    ),
}
# All of it with four event loops: what counts is that nothing is lost and the order kept.
LOOPS = 4
WITH_LOOPS = {f"{name}-loops": dataclasses.replace(work, loops=LOOPS) for name, work in WORK.items() if not name.startswith("idle")}
WORK |= WITH_LOOPS
# Modes that end by themselves.
WITHOUT_SECONDS = ("idle", "tls", "connects")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True, help="the folder of the executables")
    parser.add_argument("--runs", type=int, default=3, help="runs of each work, of which the median counts")
    parser.add_argument("--seconds", type=float, default=3, help="seconds of each run")
    parser.add_argument("--peer-runs", type=int, default=1, help="runs of each work with servers that are not ours or bare")
    parser.add_argument("--quick", action="store_true", help="one run of two seconds")
    parser.add_argument("--only", default="", help="some of: " + ", ".join(WORK))
    parser.add_argument("--servers", default="", help="some of: swift-socketio, bare, python-socketio")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=URL=PID", help="another server with SocketIOLoadServer's events")
    parser.add_argument("--loops", type=int, default=1, help="event loops of swift-socketio")
    parser.add_argument("--server-cores", default="0", help="cores of the server")
    parser.add_argument("--generator-core", default="1", help="core of the load generator")
    parser.add_argument("--output", type=Path, help="where the table goes; default Documentation/Benchmarks.md if nothing was left out")
    options = parser.parse_args()
    if options.quick:
        options.runs, options.seconds = 1, 2
    return options


def cores(text):
    return {int(core) for core in text.split(",")}


class Server:
    """A server process, or one that runs already."""

    def __init__(self, name, command=None, url=None, pid=None):
        self.name, self.command, self.url, self.pid = name, command, url, pid

    @contextlib.contextmanager
    def running(self, options):
        if not self.command:
            yield self.url, self.pid
            return
        pin = lambda: os.sched_setaffinity(0, cores(options.server_cores))
        process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True, preexec_fn=pin)
        try:
            line = process.stdout.readline()
            match = re.fullmatch(r"listening (\d+)\n", line)
            if not match:
                raise OSError(f"{self.name} did not start: {line!r}")
            yield f"http://127.0.0.1:{match[1]}", process.pid
        finally:
            # It is measured only while it runs: there is no need to wait for a graceful shutdown.
            process.kill()
            process.wait()


def has_python_socketio():
    command = [sys.executable, "-c", "import aiohttp, socketio"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def servers_for(work, options):
    batch, loops = WORK[work].batch, WORK[work].loops
    own = WORK[work].options.format(certificate=options.certificate, key=options.key).split()
    found = [Server(OURS, [options.bin / "SocketIOLoadServer", "--loops", str(loops or options.loops), *own])]
    if loops or own:
        return found
    if work == "connects":
        found.append(Server(BARE_NIO, [options.bin / "SocketIOLoadServer", "--loops", "1", "--bare"]))
    if batch:
        found.append(Server(BARE, [options.bin / "SocketIOLoadGenerator", "bare", "--batch", str(batch)]))
    if has_python_socketio():
        found.append(Server("python-socketio", [sys.executable, ROOT / "scripts" / "bench_peer.py"]))
    for peer in options.peer:
        name, url, pid = peer.split("=")
        found.append(Server(name, url=url, pid=int(pid)))
    wanted = set(filter(None, options.servers.split(",")))
    return [server for server in found if not wanted or server.name in wanted]


def run_once(work, server, options):
    arguments = WORK[work].arguments.split()
    with server.running(options) as (url, pid):
        command = [options.bin / "SocketIOLoadGenerator", arguments[0], url, "--pid", str(pid), "--format", "json", *arguments[1:]]
        if arguments[0] == "tls":
            command = [sys.executable, ROOT / "scripts" / "bench_tls.py", url, "--pid", str(pid)]
        elif arguments[0] not in WITHOUT_SECONDS:
            command += ["--seconds", str(max(2 if WORK[work].loops else options.seconds, WORK[work].seconds))]
        pin = lambda: os.sched_setaffinity(0, cores(options.generator_core))
        done = subprocess.run(command, capture_output=True, text=True, preexec_fn=pin, timeout=300, check=False)
    if done.returncode != 0:
        print(f"{work} on {server.name}: {done.stderr.strip()}", file=sys.stderr)
        return None
    return json.loads(done.stdout)


def runs_of(work, server, options):
    if WORK[work].once or WORK[work].loops:
        return 1
    if server.name not in (OURS, BARE, BARE_NIO):
        return min(options.runs, options.peer_runs)
    return options.runs + 2 if WORK[work].best and options.runs > 1 else options.runs


def summary(work, reports):
    """Medians of the values; of the best run if that is what counts."""
    if WORK[work].best:
        busy = [report for report in reports if report["values"].get("server busy", 0) >= 90]
        key = WORK[work].values[-1][0]
        return min(busy or reports, key=lambda report: report["values"][key])["values"]
    return {key: statistics.median(report["values"][key] for report in reports) for key in reports[0]["values"]}


def measure(work, options):
    """Values by server, with what the generator warned of."""
    results = {}
    servers = servers_for(work, options)
    runs = {server.name: [] for server in servers}
    # Turn by turn, so that what else the machine does meets all alike.
    for turn in range(options.runs + 2):
        for server in servers:
            if turn >= runs_of(work, server, options):
                continue
            try:
                result = run_once(work, server, options)
            except (OSError, subprocess.TimeoutExpired, json.JSONDecodeError) as error:
                # What is missing in one place must not cost all the others.
                print(f"{work} on {server.name}: {error}", file=sys.stderr)
                result = None
            if result:
                runs[server.name].append(result)
                print(f"{work} {server.name}: {json.dumps(result['values'])}", file=sys.stderr, flush=True)
    for name, reports in runs.items():
        if reports:
            warnings = sorted({warning for report in reports for warning in report["warnings"]})
            faults = {key: sum(report["values"].get(key, 0) for report in reports) for key in FAULTS}
            results[name] = (summary(work, reports), warnings, faults)
    return results


def number(value, digits):
    return f"{value:,.{digits}f}".replace(",", " ")


def ratio(value, other, smaller_is_better):
    """How many times better we are."""
    if not value or not other:
        return "–"
    return f"{(other / value if smaller_is_better else value / other):.2f} ×"


def loops_table(all_results):
    """What came of the work with several event loops."""
    lines = [f"With {LOOPS} event loops on the server's core, one run each:", "", "| work | | | lost, duplicated, out of order |", "| --- | --- | ---: | ---: |"]
    for work, results in all_results.items():
        values, _, faults = results.get(OURS, ({}, [], {}))
        key, row, digits, _ = WORK[work].values[0]
        counted = ", ".join(str(int(faults[fault])) for fault in FAULTS) if values else "–"
        # Connecting has no messages that could be lost.
        counted = counted if "lost" in values else "–"
        lines.append(f"| {WORK[work].title} | {row} | {number(values[key], digits) if key in values else '–'} | {counted} |")
    return "\n".join(lines)


def table(all_results):
    peers = []
    for results in all_results.values():
        peers += [name for name in results if name != OURS and name not in peers]
    head = ["work", "", "swift-socketio"]
    for peer in peers:
        head += [peer, "we are"]
    lines = ["| " + " | ".join(head) + " |", "| --- | --- |" + " ---: |" * (len(head) - 2)]
    notes = []
    for work, results in all_results.items():
        title = WORK[work].title
        for position, (key, row, digits, smaller) in enumerate(WORK[work].values):
            own = results.get(OURS, ({},))[0].get(key)
            cells = [title if position == 0 else "", row, number(own, digits) if own is not None else "–"]
            for peer in peers:
                value = results.get(peer, ({},))[0].get(key)
                cells += [number(value, digits) if value is not None else "–", ratio(own, value, smaller)]
            lines.append("| " + " | ".join(cells) + " |")
        for name, (_, warnings, faults) in results.items():
            notes += [f"- {title}, {name}: {int(count)} {key}" for key, count in faults.items() if count]
            notes += [f"- {title}, {name}: {warning}" for warning in warnings]
    return "\n".join(lines) + ("\n\n" + "\n".join(notes) if notes else "")


def machine():
    model = "unknown processor"
    with contextlib.suppress(OSError):
        model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())[1]
    swift = subprocess.run(["swift", "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"Swift version (\S+)", swift)
    return (
        f"{model}, {os.cpu_count()} cores; Linux {platform.release().split('-')[0]}, {' '.join(platform.libc_ver())}; "
        f"Swift {version[1] if version else '?'}; Python {platform.python_version()}."
    )


def write(text, path, begin=BEGIN, end=END):
    """Replaces what is between the marks, or adds it."""
    section = f"{begin}\n{text}\n{end}"
    old = path.read_text() if path.exists() else "# Benchmarks\n"
    if begin not in old:
        old += f"\n{begin}\n{end}\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(old[: old.index(begin)] + section + old[old.index(end) + len(end) :])


def main():
    options = parse_arguments()
    wanted = list(filter(None, options.only.split(","))) or list(WORK)
    unknown = [work for work in wanted if work not in WORK]
    if unknown:
        sys.exit(f"unknown work: {', '.join(unknown)}; there is {', '.join(WORK)}")
    began = time.monotonic()
    with certificate(options):
        results = {work: timed(work, options) for work in wanted}
    print(f"all of it took {time.monotonic() - began:.0f} s", file=sys.stderr)
    how = (
        f"{machine()} Server on core {options.server_cores} with {options.loops} event loop(s), generator on core {options.generator_core}; "
        f"medians of {options.runs} runs of {options.seconds:g} s or more, of {options.peer_runs} for other servers; with one message in "
        f"flight the best of {options.runs + 2}. “We are”: how many times better {OURS} is. “{BARE}” makes only the same system calls (fan-out "
        f"at saturation: 16 messages per write), and is the limit. Memory is `Rss` of `/proc/PID/smaps_rollup`, "
        "by `scripts/bench --only idle,idle-hummingbird,idle-tls`."
    )
    parts = [how]
    alone = {work: found for work, found in results.items() if work not in WITH_LOOPS}
    several = {work: found for work, found in results.items() if work in WITH_LOOPS}
    parts += [table(alone)] if alone else []
    parts += [loops_table(several)] if several else []
    text = "\n\n".join(parts)
    print(text)
    for path in outputs(options):
        write(text, path)


def timed(work, options):
    began = time.monotonic()
    results = measure(work, options)
    print(f"{work} took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return results


@contextlib.contextmanager
def certificate(options):
    """A certificate for the time of the run."""
    with tempfile.TemporaryDirectory() as folder:
        options.certificate, options.key = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
        if shutil.which("openssl"):
            command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
            command += ["-subj", "/CN=localhost", "-keyout", options.key, "-out", options.certificate]
            subprocess.run(command, capture_output=True, check=True)
        else:
            print("there is no openssl, which makes the certificate: idle-tls will not start", file=sys.stderr)
        yield


def outputs(options):
    """Where the table goes: only numbers of everything, as often as it takes, are to show."""
    if options.output:
        return [options.output]
    if options.only or options.servers or options.quick:
        return []
    return [ROOT / "Documentation" / "Benchmarks.md"]


if __name__ == "__main__":
    main()

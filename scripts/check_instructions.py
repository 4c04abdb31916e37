# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Counts the server's instructions per echo, delivery, connection and cluster message; called by scripts/check-instructions."""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMITS = ROOT / "scripts" / "check-instructions.json"
# Keeps valgrind from writing into a constant of libdispatch.
SHIM = "check-instructions.so"
SERVER, GENERATOR, REPLICA_SET = "SocketIOLoadServer", "SocketIOLoadGenerator", "SocketIOReplicaSet"

# The generator's work, the value that it counts, and the two sizes of a run. Both contain start-up, connecting and shutdown, so that
# these costs disappear in the difference.
#
# What a cluster message costs depends on how many share a command of the database, which depends on how busy the machine is. So cluster
# rows are measured twice, with single messages and with bursts, and the commands are counted: that gives the cost of a command and of a
# message. `cluster-send` and `cluster-receive` are a message with commands of its own, `…-batched` is one more message in a batch.
ROWS = {
    "echo-1": ("echo --in-flight 1", "echoes", (2, 8)),
    "echo-8": ("echo --in-flight 8", "echoes", (2, 8)),
    "echo-typed": ("echo --in-flight 8 --event echo-typed", "echoes", (2, 8)),
    "fan-out": ("fan-out --receivers 100 --in-flight 16", "deliveries", (2, 8)),
    "connects": ("connects", None, (500, 2500)),
    "cluster-send": ("cluster --rate 100", "deliveries", (3, 12)),
    "cluster-receive": ("cluster --rate 100", "deliveries", (3, 12)),
}
BURSTS = "cluster --rate 400 --burst 8"
# The commands of a message that is alone: an insert, and reading it. The sender reads its own messages too.
COMMANDS = {"cluster-send": 2, "cluster-receive": 1}
COMMAND = "mongoc_cluster_run_command_monitored"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True, help="the folder of the executables")
    parser.add_argument("--base", type=Path, help="a folder of other executables to compare with, instead of the recorded numbers")
    parser.add_argument("--only", default=",".join(ROWS), help="some rows, separated by commas")
    parser.add_argument("--tolerance", type=float, default=3, help="per cent that a row may cost more")
    parser.add_argument("--record", action="store_true", help="write the numbers as the new limits")
    return parser.parse_args()


@contextlib.contextmanager
def process(*command, stop=signal.SIGTERM, **options):
    """A process and the first line that it prints."""
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True, **options)
    try:
        yield child, child.stdout.readline().strip()
    finally:
        if child.stdin:
            child.stdin.close()
        else:
            child.send_signal(stop)
        try:
            child.wait(120)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextlib.contextmanager
def server(binaries, arguments, log=None):
    """A server, with its instructions counted into a log if there is one; its URL."""
    counted = ["valgrind", "--tool=callgrind", "--fair-sched=yes", f"--callgrind-out-file={log}", f"--log-file={log}.text"]
    command = [*(counted if log else []), binaries / SERVER, "--loops", "1", *arguments]
    environment = {**os.environ, "LD_PRELOAD": str(binaries / SHIM)} if log else None
    with process(*command, env=environment) as (_, line):
        match = re.fullmatch(r"listening (\d+)", line)
        if not match:
            sys.exit(f"the server did not start: {line!r}")
        yield f"http://127.0.0.1:{match[1]}"


def instructions(log):
    found = re.search(r"^(?:summary|totals): (\d+)", log.read_text(), re.MULTILINE)
    if not found:
        sys.exit("nothing was counted")
    return int(found[1])


def commands(log):
    """How often a command was sent to the database."""
    names, called, count = {}, None, 0
    for line in log.read_text().splitlines():
        if match := re.match(r"(c?fn)=\((\d+)\)(?: (.*))?", line):
            names.setdefault(match[2], match[3] or "")
            called = names[match[2]] if match[1] == "cfn" else called
        elif line.startswith("calls=") and called.startswith(COMMAND):
            count += int(line[len("calls=") :].split()[0])
    return count


def generate(binaries, work, counted, size, url, *more):
    amount = ["--seconds", size, "--warm-up", 0] if counted else ["--clients", size]
    mode, *options = work.split()
    command = [binaries / GENERATOR, mode, url, *more, *options, *amount, "--format", "json"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600, check=False)
    if done.returncode != 0:
        sys.exit(done.stderr or done.stdout)
    values = json.loads(done.stdout)["values"]
    return values[counted] * size if counted else size


def run(binaries, name, size, folder, uri, work=None):
    """The number of operations, the commands of the database and the instructions of the whole process."""
    usual, counted, _ = ROWS[name]
    work = work or usual
    log = folder / "log"
    with contextlib.ExitStack() as stack:
        if name.startswith("cluster"):
            mongodb = ["--mongodb", uri, "--collection", f"{name}-{size}-{len(work)}"]
            sends = name == "cluster-send"
            first = stack.enter_context(server(binaries, mongodb, None if sends else log))
            second = stack.enter_context(server(binaries, mongodb, log if sends else None))
            operations = generate(binaries, work, counted, size, first, "--sender", second)
        else:
            operations = generate(binaries, work, counted, size, stack.enter_context(server(binaries, [], log)))
    return operations, commands(log), instructions(log)


def difference(binaries, name, folder, uri, work=None):
    small, large = (run(binaries, name, size, folder, uri, work) for size in ROWS[name][2])
    return [after - before for before, after in zip(small, large)]


def measure(binaries, name, folder, uri):
    """The instructions of an operation, by row."""
    single = difference(binaries, name, folder, uri)
    if name not in COMMANDS:
        return {name: single[2] / single[0]}
    bursts = difference(binaries, name, folder, uri, BURSTS)
    determinant = single[0] * bursts[1] - bursts[0] * single[1]
    if determinant == 0 or not all(single):
        sys.exit(f"{name}: the costs of commands and messages cannot be told apart")
    message = (single[2] * bursts[1] - bursts[2] * single[1]) / determinant
    command = (single[0] * bursts[2] - bursts[0] * single[2]) / determinant
    print(f"{name:24} {command:9.0f} instructions for a command; {single[0] / single[1]:.2f} and {bursts[0] / bursts[1]:.2f} messages for each")
    return {name: message + COMMANDS[name] * command, f"{name}-batched": message}


def stripped(source, folder):
    """Valgrind 3.19 does not read the debug information of today's compilers."""
    folder.mkdir()
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", folder / SHIM, ROOT / "scripts" / "check-instructions.c"], check=True)
    for name in (SERVER, GENERATOR, REPLICA_SET):
        if (source / name).exists():
            subprocess.run(["strip", "-g", "-o", folder / name, source / name], check=True)
    return folder


def compare(options, names, folder, uri):
    limits = json.loads(LIMITS.read_text()) if LIMITS.exists() else {}
    binaries = stripped(options.bin, folder / "bin")
    base = stripped(options.base, folder / "base") if options.base else None
    failed = []
    for name in names:
        earlier = measure(base, name, folder, uri) if base else limits
        for row, now in measure(binaries, name, folder, uri).items():
            before = earlier.get(row)
            change = 100 * (now / before - 1) if before else 0
            print(f"{row:24} {now:9.0f} instructions" + (f", {before:9.0f} before ({change:+.2f} %)" if before else ""), flush=True)
            if change > options.tolerance and not options.record:
                failed.append(row)
            limits[row] = round(now)
    if options.record:
        LIMITS.write_text(json.dumps(limits, indent=4) + "\n")
    if failed:
        sys.exit(f"more than {options.tolerance} % above the limit: {', '.join(failed)}")


def main():
    options = parse_arguments()
    names = options.only.split(",")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        uri = None
        if any(name.startswith("cluster") for name in names):
            _, line = stack.enter_context(process(options.bin / REPLICA_SET, stdin=subprocess.PIPE))
            if not line.startswith("ready "):
                sys.exit("the replica set did not start")
            uri = line.removeprefix("ready ")
        compare(options, names, folder, uri)


if __name__ == "__main__":
    main()

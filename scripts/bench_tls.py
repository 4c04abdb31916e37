# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Opens idle clients over TLS and reports the memory of the server, as `SocketIOLoadGenerator idle` does without TLS; called by scripts/bench."""

import argparse
import json
import re
import socket
import ssl
import time
from pathlib import Path

REQUEST = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nPragma: no-cache\r\n"
    "Cache-Control: no-cache\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
# The text message 40, masked with zeros.
JOIN = bytes([0x81, 0x82, 0, 0, 0, 0]) + b"40"


def resident(pid):
    """Bytes."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Rss:\s+(\d+) kB", rollup, re.M)[1]) * 1024


def client(context, host, port):
    plain = socket.create_connection((host, port))
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = context.wrap_socket(plain, server_hostname=host)
    connection.sendall(REQUEST.format(host=f"{host}:{port}").encode() + b"")
    receive_until(connection, b'"maxPayload"')
    connection.sendall(JOIN)
    receive_until(connection, b"40{")
    return connection


def receive_until(connection, text):
    received = b""
    while text not in received:
        part = connection.recv(4096)
        if not part:
            raise SystemExit(f"the server closed a connection: {received[:200]!r}")
        received += part


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--clients", type=int, default=2000)
    options = parser.parse_args()
    host, port = re.fullmatch(r"https?://([^:/]+):(\d+)/?", options.url).groups()
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for connection in [client(context, host, int(port)) for _ in range(100)]:
        connection.close()
    time.sleep(3)
    start = resident(options.pid)
    connections = [client(context, host, int(port)) for _ in range(options.clients)]
    time.sleep(3)
    opened = resident(options.pid)
    for connection in connections:
        connection.close()
    time.sleep(9)
    closed = resident(options.pid)
    values = {
        "memory per connection": (opened - start) / options.clients,
        "kept per closed connection": (closed - start) / options.clients,
    }
    print(json.dumps({"values": values, "warnings": []}))


if __name__ == "__main__":
    main()

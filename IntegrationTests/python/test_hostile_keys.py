# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Keys that are long and take Swift long to normalise, although none has too many marks in a row. A dictionary of them holds nobody up."""

import time
from collections.abc import Awaitable, Callable

import pytest

from harness.client import Client
from harness.process import Server
from test_hostile_names import attacker, innocent, longest_wait, packet, server, until  # noqa: F401: fixtures

SIZE = 900_000
PLAIN = "a" * SIZE
TEXTS = {
    "runs of marks": ("\u0301\u0323" * 32 + "a") * (SIZE // 129),
    "a mark on each letter": "e\u0301" * (SIZE // 3),
    "letters that are two": "\u0958" * (SIZE // 3),
}
KEYS: dict[str, Callable[[str], object]] = {
    "one key": lambda text: {text: 1},
    "two keys": lambda text: {text[: len(text) // 2]: 1, text[: len(text) // 2 - 3] + "b": 2},
    "a thousand keys": lambda text: {text[: len(text) // 1000 - 5] + f"{index:04}": 1 for index in range(1000)},
    "wrong values": lambda text: {text: "none"},
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS.keys())
async def test_keys_of_a_dictionary(server: Server, innocent: Client, keys: Callable[[str], object], text: str) -> None:  # noqa: F811
    def attack(text: str) -> Awaitable[None]:
        async def send() -> None:
            async with attacker(server) as raw:
                await raw.send(packet(server, 2, data=["tally", keys(text)]))
                await raw.send(packet(server, 2, data=["sum", 1, 2], id=1))
                await until(raw, 3)

        return send()

    plain = min([await longest_wait(innocent, attack(PLAIN)) for _ in range(3)])
    hostile = min([await longest_wait(innocent, attack(text)) for _ in range(3)])
    print(f"ASCII {1_000 * plain:.1f} ms, these {1_000 * hostile:.1f} ms")
    # A debug build takes 0.1 s to check the UTF-8, and took half a second to normalise it.
    assert hostile < 5 * plain + 0.15


async def test_long_keys_are_taken_where_they_are_compared_by_their_bytes(server: Server, innocent: Client) -> None:  # noqa: F811
    text = TEXTS["a mark on each letter"][:60_000]
    assert await innocent.call("members", {text: 1, text + "b": 2}) == 2
    began = time.monotonic()
    assert await innocent.call("tally", {text[:20_000]: 1, text[:19_998]: 2}) == 3
    assert time.monotonic() - began < 2

# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""Documents written by a program that has write access to the database of a cluster, but is not one of its nodes."""

import itertools
import json
import os
from typing import Any

import msgpack
from bson import Binary, Int64, ObjectId, Timestamp
from pymongo import MongoClient
from pymongo.collection import Collection

from harness.cluster import Cluster

BROADCAST, DISCONNECT, HEARTBEAT, LEAVE, ERROR_ANSWER = 0, 2, 20, 23, 47
OPTIONS: list[Any] = [[], [], 0, None]
_beats = itertools.count(1)


class Forger:
    """Writes into the collection of a cluster, and reads what its nodes write."""

    def __init__(self, cluster: Cluster) -> None:
        self._client: MongoClient[dict[str, Any]] = MongoClient(cluster.database.url)
        database, name = cluster.namespace.split(".", 1)
        self.collection: Collection[dict[str, Any]] = self._client[database][name]

    def close(self) -> None:
        self._client.close()

    def epoch(self, node: str) -> int:
        """The epoch of a node, which stands in all that it writes."""
        document = self.collection.find_one({"origin": node, "kind": HEARTBEAT}, sort=[("$natural", -1)])
        assert document is not None, f"{node} has no heartbeat"
        return int(document["epoch"])

    def write(self, *documents: dict[str, Any]) -> None:
        self.collection.insert_many(list(documents), ordered=False)


def document(kind: int, origin: str, epoch: int, payload: Any, *, namespace: str = "/", **fields: Any) -> dict[str, Any]:
    result: dict[str, Any] = {
        "_id": ObjectId(),
        "v": 1,
        "cluster": "default",
        "kind": kind,
        "origin": origin,
        "epoch": Int64(epoch),
        "target": None,
        "nsp": namespace,
        "ts": Timestamp(0, 0),
        "data": Binary(msgpack.packb(payload)),
    }
    return result | fields


def news(origin: str, epoch: int, number: int, value: Any, *, lane: int = 0, **fields: Any) -> dict[str, Any]:
    """A broadcast of the event `news` to all clients."""
    message = f'2["news",{json.dumps(value)}]'.encode()
    return document(BROADCAST, origin, epoch, [OPTIONS, [0, None, message, []]], lane=lane, number=Int64(number), **fields)


def goodbye(origin: str, epoch: int, number: int, **fields: Any) -> dict[str, Any]:
    """Closes the connections of all clients."""
    return document(DISCONNECT, origin, epoch, [OPTIONS, True], lane=0, number=Int64(number), **fields)


def heartbeat(origin: str, epoch: int, *, beat: int | None = None, number: int = 0, **fields: Any) -> dict[str, Any]:
    positions = [[None, 0, number, []]]
    return document(HEARTBEAT, origin, epoch, [beat or next(_beats), False, positions], namespace="", **fields)


def leave(origin: str, epoch: int) -> dict[str, Any]:
    return document(LEAVE, origin, epoch, [], namespace="")


def someone() -> int:
    """An epoch that no node has."""
    return int.from_bytes(os.urandom(7)) + 1

# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""A scripted peer that does in MongoDB what a server with `@socket.io/mongo-adapter` 0.4 does."""

import asyncio
import datetime
import secrets
from dataclasses import dataclass, field
from typing import Any, Self

from bson import Binary, ObjectId
from pymongo import DESCENDING

from .peer import LIMIT, Peer

NOTHING: dict[str, Any] = {"rooms": [], "except": [], "flags": {}}

INITIAL_HEARTBEAT, HEARTBEAT, BROADCAST, JOIN, LEAVE, DISCONNECT, FETCH, FETCH_RESPONSE = range(1, 9)
SERVER_EMIT, SERVER_EMIT_RESPONSE, CLIENT_COUNT, BROADCAST_ACK, SESSION = range(9, 14)


def options(rooms: list[str] | None = None, but: list[str] | None = None, **flags: Any) -> dict[str, Any]:
    return {"rooms": rooms or [], "except": but or [], "flags": flags}


@dataclass
class PeerSocket:
    """A client of the peer, who exists only in its answers."""

    id: str
    rooms: list[str]
    data: dict[str, Any] = field(default_factory=dict)
    #: What it acknowledges; None to stay silent.
    answer: Any = None
    heard: list[list[Any]] = field(default_factory=list)

    def matches(self, opts: dict[str, Any]) -> bool:
        rooms = set(self.rooms)
        return (not opts["rooms"] or bool(rooms & set(opts["rooms"]))) and not rooms & set(opts["except"])

    def describe(self) -> dict[str, Any]:
        handshake = {
            "headers": {"user-agent": "node", "set-cookie": ["a", "b"]},
            "time": "Sat Nov 21 2026 11:14:46 GMT+0000 (Coordinated Universal Time)",
            "address": "127.0.0.1",
            "xdomain": False,
            "secure": False,
            "issued": 1795259686084.0,
            "url": "/socket.io/?EIO=4",
            "query": {"EIO": "4"},
            "auth": {"token": "t"},
        }
        return {"id": self.id, "handshake": handshake, "rooms": self.rooms, "data": self.data}


@dataclass
class Request:
    """What the peer has asked, and the answers."""

    documents: list[dict[str, Any]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, document: dict[str, Any]) -> None:
        self.documents.append(document)
        self.changed.set()

    async def wait(self, kind: int, count: int) -> list[dict[str, Any]]:
        """The data of the first answers of a type."""

        async def enough() -> list[dict[str, Any]]:
            while len(found := [each["data"] for each in self.documents if each["type"] == kind]) < count:
                self.changed.clear()
                await self.changed.wait()
            return found

        return await asyncio.wait_for(enough(), LIMIT)


class NodePeer(Peer):
    """Takes part in the cluster of a collection. What it hears of a namespace that is not its own, it ignores."""

    def __init__(self, url: str, collection: str, *, created_at: bool, uid: str = "", namespace: str = "/") -> None:
        super().__init__(url, collection)
        self.uid = uid or secrets.token_hex(8)
        self.namespace = namespace
        self.sockets: list[PeerSocket] = []
        #: Who was heard, with the types of their documents.
        self.nodes: dict[str, list[int]] = {}
        #: What came as server-side events, and what is answered to those that want an answer.
        self.events: asyncio.Queue[list[Any]] = asyncio.Queue()
        self.event_answer: Any = None
        #: All documents, of all types.
        self.documents: list[dict[str, Any]] = []
        self._created_at = created_at
        self._requests: dict[str, Request] = {}

    async def start(self) -> Self:
        await self._begin({"fullDocument.uid": {"$ne": self.uid}})
        await self.publish(INITIAL_HEARTBEAT)
        return self

    async def publish(self, kind: int, data: dict[str, Any] | None = None, uid: str = "") -> ObjectId:
        document: dict[str, Any] = {"type": kind}
        if data is not None:
            document["data"] = data
        document |= {"uid": uid or self.uid, "nsp": self.namespace}
        if self._created_at:
            document["createdAt"] = datetime.datetime.now(datetime.UTC)
        return (await self.collection.insert_one(document)).inserted_id

    async def _say_alive(self) -> None:
        await self.publish(HEARTBEAT)

    async def _receive(self, document: dict[str, Any]) -> None:
        if document.get("nsp") != self.namespace:
            return
        self.documents.append(document)
        if document["uid"] != "emitter":
            self.nodes.setdefault(document["uid"], []).append(document["type"])
        data = document.get("data", {})
        match document["type"]:
            case 1:
                await self.publish(HEARTBEAT)
            case 3:
                await self._deliver(data)
            case 4 | 5:
                for socket in self._select(data["opts"]):
                    left = [room for room in socket.rooms if room not in data["rooms"]]
                    socket.rooms = left + (data["rooms"] if document["type"] == JOIN else [])
            case 6:
                gone = self._select(data["opts"])
                self.sockets = [socket for socket in self.sockets if socket not in gone]
            case 7:
                sockets = [socket.describe() for socket in self._select(data["opts"])]
                await self.publish(FETCH_RESPONSE, {"requestId": data["requestId"], "sockets": sockets})
            case 9:
                self.events.put_nowait(data["packet"])
                if "requestId" in data:
                    await self.publish(SERVER_EMIT_RESPONSE, {"requestId": data["requestId"], "packet": self.event_answer})
            case 8 | 10 | 11 | 12:
                if request := self._requests.get(data["requestId"]):
                    request.add(document)
        self._changed.set()

    def _select(self, opts: dict[str, Any]) -> list[PeerSocket]:
        return [socket for socket in self.sockets if socket.matches(opts)]

    async def _deliver(self, data: dict[str, Any]) -> None:
        selected = self._select(data["opts"])
        for socket in selected:
            socket.heard.append(data["packet"]["data"])
        if request := data.get("requestId"):
            await self.publish(CLIENT_COUNT, {"requestId": request, "clientCount": len(selected)})
            for socket in selected:
                if socket.answer is not None:
                    await self.publish(BROADCAST_ACK, {"requestId": request, "packet": socket.answer})

    # What it asks

    async def ask(self, kind: int, data: dict[str, Any]) -> Request:
        request = secrets.token_hex(8)
        self._requests[request] = Request()
        await self.publish(kind, data | {"requestId": request})
        return self._requests[request]

    async def emit(self, event: str, *arguments: Any, to: dict[str, Any] | None = None) -> ObjectId:
        packet = {"type": 2, "data": [event, *arguments]}
        return await self.publish(BROADCAST, {"packet": packet, "opts": to or options()})

    async def emit_with_ack(self, event: str, *arguments: Any, to: dict[str, Any] | None = None) -> Request:
        packet = {"type": 2, "data": [event, *arguments], "nsp": self.namespace, "id": 3}
        return await self.ask(BROADCAST, {"packet": packet, "opts": to or options(timeout=10_000)})

    # Connection state recovery

    async def store_session(self, sid: str, pid: str, rooms: list[str], data: dict[str, Any]) -> None:
        await self.publish(SESSION, {"sid": sid, "pid": pid, "rooms": rooms, "data": data})

    async def restore_session(self, pid: str, offset: str) -> tuple[dict[str, Any], list[list[Any]]] | None:
        """The session and the missed events, if both the session and the offset are there."""
        query = {"type": SESSION, "data.pid": pid}
        if self._created_at:
            found = await self.collection.find_one_and_delete(query)
        else:
            found = await self.collection.find_one(query, sort=[("_id", DESCENDING)])
            if found and found["data"].get("tombstone"):
                return None
            if found:
                await self.publish(SESSION, {"pid": pid, "tombstone": True})
        last = await self.collection.find_one({"type": BROADCAST, "_id": ObjectId(offset)})
        if not found or not last:
            return None
        session = found["data"]
        missed = {
            "$and": [
                {"type": BROADCAST},
                {"_id": {"$gt": ObjectId(offset)}},
                {"nsp": self.namespace},
                {"$or": [{"data.opts.rooms": {"$size": 0}}, {"data.opts.rooms": {"$in": session["rooms"]}}]},
                {"$or": [{"data.opts.except": {"$size": 0}}, {"data.opts.except": {"$nin": session["rooms"]}}]},
            ]
        }
        return session, [each["data"]["packet"]["data"] async for each in self.collection.find(missed)]


def plain(value: Any) -> Any:
    """A value without the types of BSON."""
    if isinstance(value, Binary):
        return bytes(value)
    if isinstance(value, list):
        return [plain(each) for each in value]
    return {key: plain(each) for key, each in value.items()} if isinstance(value, dict) else value

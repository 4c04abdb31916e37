# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""A scripted peer that does in MongoDB what a Rust server with `socketioxide-mongodb` 0.1 does."""

import base64
import datetime
import json
import secrets
from dataclasses import dataclass, field
from typing import Any, Self

import msgpack

from .peer import Peer

BROADCAST, BROADCAST_ACK, DISCONNECT, ALL_ROOMS, ADD, DEL, FETCH = range(7)
HEARTBEAT, INIT_HEARTBEAT = 20, 21
ACK, ACK_COUNT, ROOMS, SOCKETS = range(4)
TO_BROADCAST, VOLATILE = 2, 4


def make_id() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(12)).decode()


def options(
    rooms: list[str] | None = None,
    but: list[str] | None = None,
    *,
    flags: int = TO_BROADCAST,
    sid: str | None = None,
    server: str | None = None,
) -> list[Any]:
    return [flags, rooms or [], but or [], sid, server]


@dataclass
class PeerSocket:
    """A client of the peer, who exists only in its answers. It is in no room of its own."""

    rooms: set[str]
    id: str = field(default_factory=make_id)
    #: What it acknowledges; None to be gone before it does.
    answer: list[Any] | None = None
    heard: list[list[Any]] = field(default_factory=list)


class RustPeer(Peer):
    """Takes part in the cluster of a collection, in the main namespace."""

    def __init__(self, url: str, collection: str, parser: str) -> None:
        super().__init__(url, collection)
        self.uid = make_id()
        self.parser = parser
        self.sockets: list[PeerSocket] = []
        #: All requests and responses of others: the document and its payload.
        self.requests: list[tuple[dict[str, Any], list[Any]]] = []
        self.responses: list[tuple[dict[str, Any], Any]] = []

    async def start(self) -> Self:
        own = {"fullDocument.origin": {"$ne": self.uid}, "fullDocument.ns": "/"}
        target = [{"fullDocument.target": self.uid}, {"fullDocument.target": {"$exists": False}}]
        await self._begin(own | {"$or": target})
        await self.request(INIT_HEARTBEAT)
        return self

    # Writing

    async def _insert(self, tag: str, payload: list[Any], *, request: str | None = None, target: str | None = None) -> None:
        document: dict[str, Any] = {"t": tag}
        if request:
            document["request"] = request
        if target:
            document["target"] = target
        data = list(msgpack.packb(payload))
        document |= {"ns": "/", "origin": self.uid, "data": data, "createdAt": datetime.datetime.now(datetime.UTC)}
        await self.collection.insert_one(document)

    async def request(
        self,
        kind: int,
        *,
        packet: list[Any] | None = None,
        rooms: list[str] | None = None,
        opts: list[Any] | None = None,
        target: str | None = None,
    ) -> str:
        number = make_id()
        await self._insert("Req", [self.uid, number, kind, packet, rooms, opts], target=target)
        return number

    async def respond(self, request: tuple[dict[str, Any], list[Any]], kind: int, body: Any) -> None:
        document, payload = request
        await self._insert("Res", [self.uid, [kind, body]], request=payload[1], target=document["origin"])

    def value(self, array: list[Any]) -> list[Any]:
        if self.parser == "msgpack":
            return [1, list(msgpack.packb(array)), None]
        attachments: list[bytes] = []

        def replace(value: Any) -> Any:
            if isinstance(value, bytes):
                attachments.append(value)
                return {"_placeholder": True, "num": len(attachments) - 1}
            if isinstance(value, dict):
                return {key: replace(each) for key, each in value.items()}
            return [replace(each) for each in value] if isinstance(value, list) else value

        text = json.dumps(replace(array), separators=(",", ":"), ensure_ascii=False)
        return [0, list(text.encode()), attachments or None]

    @staticmethod
    def plain(value: list[Any]) -> list[Any]:
        kind, data, attachments = value
        if kind == 1:
            return msgpack.unpackb(bytes(data))

        def restore(value: Any) -> Any:
            if isinstance(value, dict):
                if value.get("_placeholder"):
                    return attachments[value["num"]]
                return {key: restore(each) for key, each in value.items()}
            return [restore(each) for each in value] if isinstance(value, list) else value

        return restore(json.loads(bytes(data)))

    def packet(self, event: str, *arguments: Any) -> list[Any]:
        value = self.value([event, *arguments])
        return ["/", 5 if value[2] else 2, value, None, None]

    async def emit(self, event: str, *arguments: Any, opts: list[Any] | None = None) -> None:
        await self.request(BROADCAST, packet=self.packet(event, *arguments), opts=opts or options())

    # Reading

    async def _say_alive(self) -> None:
        await self.request(HEARTBEAT)

    async def answers(self, request: str, kind: int, count: int = 1) -> list[Any]:
        """The bodies of the first responses of a type."""

        def found() -> list[Any] | None:
            bodies = [payload[1][1] for document, payload in self.responses if document["request"] == request and payload[1][0] == kind]
            return bodies if len(bodies) >= count else None

        return await self.until(found)

    async def _receive(self, document: dict[str, Any]) -> None:
        try:
            payload = msgpack.unpackb(bytes(document["data"]))
        except ValueError:
            return
        if document["t"] == "Res":
            self.responses.append((document, payload))
        else:
            self.requests.append((document, payload))
            await self._perform((document, payload))
        self._changed.set()

    async def _perform(self, request: tuple[dict[str, Any], list[Any]]) -> None:
        document, (_, _, kind, packet, rooms, opts) = request
        selected = self.select(opts) if opts else []
        match kind:
            case 21:
                await self.request(HEARTBEAT, target=document["origin"])
            case 0 | 1:
                for socket in selected:
                    socket.heard.append(self.plain(packet[2]))
                if kind == BROADCAST_ACK:
                    await self._acknowledge(request, selected)
            case 2:
                self.sockets = [socket for socket in self.sockets if socket not in selected]
            case 3:
                await self.respond(request, ROOMS, sorted(set[str]().union(*(socket.rooms for socket in selected))))
            case 4:
                for socket in selected:
                    socket.rooms |= set(rooms)
            case 5:
                for socket in selected:
                    socket.rooms -= set(rooms)
            case 6:
                await self.respond(request, SOCKETS, [[socket.id, self.uid, "/"] for socket in selected])

    async def _acknowledge(self, request: tuple[dict[str, Any], list[Any]], selected: list[PeerSocket]) -> None:
        await self.respond(request, ACK_COUNT, len(selected))
        for socket in selected:
            gone = {"Err": {"Socket": "Closed"}}
            await self.respond(request, ACK, [socket.id, {"Ok": self.value(socket.answer)} if socket.answer is not None else gone])

    def select(self, opts: list[Any]) -> list[PeerSocket]:
        flags, rooms, but, sid, _ = opts
        if rooms or flags & TO_BROADCAST:
            left_out = {sid} if flags & TO_BROADCAST else set()
            return [
                socket
                for socket in self.sockets
                if (not rooms or socket.rooms & set(rooms)) and not socket.rooms & set(but) and socket.id not in left_out
            ]
        return [socket for socket in self.sockets if socket.id == sid]

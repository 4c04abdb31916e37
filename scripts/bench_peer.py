# Copyright 2026 the swift-socketio authors
# SPDX-License-Identifier: Apache-2.0

"""python-socketio with the events of SocketIOLoadServer, as a peer to measure against."""

import asyncio

import socketio
from aiohttp import web

sio = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins="*")


@sio.on("echo")
async def echo(sid, *arguments):
    return arguments


@sio.on("echo-typed")
async def echo_typed(sid, text):
    return text


@sio.on("join")
async def join(sid, room):
    await sio.enter_room(sid, room)
    return "ok"


@sio.on("leave")
async def leave(sid, room):
    await sio.leave_room(sid, room)
    return "ok"


@sio.on("roomcast")
async def roomcast(sid, room, payload):
    await sio.emit("msg", payload, to=room)


@sio.on("broadcast")
async def broadcast(sid, payload):
    await sio.emit("msg", payload)


@sio.on("bcast-ack")
async def broadcast_with_acknowledgement(sid, payload):
    async def ask(other):
        return await sio.call("msg-ack", payload, to=other, timeout=5)

    participants = [other for other, _ in sio.manager.get_participants("/", None)]
    return [await asyncio.gather(*map(ask, participants))]


async def main():
    app = web.Application()
    sio.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=4096)
    await site.start()
    print(f"listening {site._server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())

// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

// The sample chat on Node.js. Its events are those of Examples/Chat/PROTOCOL.md.
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { hostname } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createAdapter } from "@socket.io/mongo-adapter";
import { MongoClient } from "mongodb";
import { Server } from "socket.io";

const { MONGODB_URI, PORT = "3100", NODE = `${hostname()} (Node.js)` } = process.env;
if (!MONGODB_URI) throw new Error("set MONGODB_URI to the deployment of the Swift nodes: mongodb://…");

// MARK: The page

const pages = fileURLToPath(new URL("../../Examples/Chat/Public/", import.meta.url));
const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

const http = createServer((request, response) => {
  const name = new URL(request.url, "http://localhost").pathname.slice(1) || "index.html";
  if (!/^[a-z]+\.(html|js|css|svg)$/.test(name)) return response.writeHead(404).end();
  const file = createReadStream(join(pages, name));
  file.on("error", () => response.writeHead(404).end());
  file.on("open", () => response.writeHead(200, { "content-type": `${types[extname(name)]}; charset=utf-8` }));
  file.pipe(response);
});

// MARK: The cluster

const mongo = await new MongoClient(MONGODB_URI).connect();
// What the Swift nodes use by default: the database of the connection string or "socketio", and documents that a TTL index deletes.
const path = new URL(MONGODB_URI.replace(/^mongodb(\+srv)?:\/\/[^/]*/, "http://localhost")).pathname.slice(1);
const collection = mongo.db(path || "socketio").collection("socketio");

const io = new Server(http, {
  adapter: createAdapter(collection, { addCreatedAtField: true }),
  connectionStateRecovery: {},
});

// MARK: What was said

const rooms = new Map(["lobby", "random", "swift"].map((name) => [name, []]));

function open(room) {
  const messages = rooms.get(room) ?? [];
  const isNew = !rooms.delete(room);
  rooms.set(room, messages); // the least recently used first
  if (rooms.size > 64) rooms.delete(rooms.keys().next().value);
  return isNew;
}

function keep(message) {
  open(message.room);
  const messages = rooms.get(message.room);
  const known = messages.find(({ id }) => id === message.id);
  if (known) return known;
  messages.push(message);
  if (messages.length > 100) messages.shift();
  return undefined;
}

const past = () => ({ rooms: [...rooms].map(([name, messages]) => ({ name, messages: messages.slice(-20) })) });

io.on("past", (answer) => answer(past()));
io.on("open", (room) => open(room));
io.on("said", (message) => message.room && keep(message));

// MARK: The chat

const channel = (room) => `room:${room}`;
const names = (socket) => [...socket.rooms].filter((room) => room.startsWith("room:"));
const member = (socket) => ({ id: socket.id, nick: socket.data.nick ?? "?", node: socket.data.node ?? NODE });

function text(value, limit, refusal) {
  const trimmed = typeof value === "string" ? value.trim().replace(/\s+/g, " ") : "";
  if (trimmed.length < 1 || trimmed.length > limit) throw new Error(refusal);
  return trimmed;
}
const nick = (value) => text(value, 24, "A nickname has 1 to 24 characters.");

// Answers with what `body` returns, or with why it did not.
const answering = (body) => async (...args) => {
  const answer = typeof args.at(-1) === "function" ? args.pop() : () => {};
  try {
    answer(await body(...args));
  } catch (error) {
    answer({ error: error.message });
  }
};

io.use((socket, next) => {
  try {
    socket.data.nick = nick(socket.handshake.auth.nick);
    next();
  } catch (error) {
    next(Object.assign(new Error("nickname"), { data: { reason: error.message } }));
  }
});

io.on("connection", (socket) => {
  socket.data.node = NODE;
  const here = (room) => socket.rooms.has(channel(room));

  socket.on("join", answering(async (name) => {
    const room = text(name, 32, "A room's name has 1 to 32 characters.");
    if (socket.rooms.size > 64) throw new Error("You are in too many rooms.");
    const isNew = open(room);
    socket.join(channel(room));
    socket.to(channel(room)).emit("joined", { room, member: member(socket), back: false });
    if (isNew) {
      io.serverSideEmit("open", room);
      io.emit("rooms", [...rooms.keys()].sort());
    }
    return { members: (await io.in(channel(room)).fetchSockets()).map(member), messages: rooms.get(room) };
  }));
  socket.on("leave", answering((room) => {
    socket.leave(channel(room));
    io.to(channel(room)).emit("left", { room, member: member(socket) });
  }));
  socket.on("rename", answering((name) => {
    const was = socket.data.nick;
    socket.data.nick = nick(name);
    if (names(socket).length > 0) socket.to(names(socket)).emit("renamed", { member: member(socket), was });
    return member(socket);
  }));
  socket.on("typing", (room, on) => {
    if (here(room)) socket.to(channel(room)).volatile.emit("typing", { room, member: member(socket), on: on === true });
  });
  socket.on("message", answering(({ id, room, text: words }) => {
    if (!here(room)) throw new Error("You are not in that room.");
    const said = text(words, 2000, "A message has 1 to 2000 characters.");
    const message = { id: text(id, 64, "A message needs an id."), room, from: member(socket), text: said, at: Date.now() };
    const known = keep(message);
    if (known) return { at: known.at };
    socket.to(channel(room)).emit("message", message);
    io.serverSideEmit("said", message);
    return { at: message.at };
  }));
  socket.on("private", answering(async ({ id, to, text: words }) => {
    const peer = (await io.in(to).fetchSockets()).find((one) => one.id === to);
    if (!peer) throw new Error("That person is not here any more.");
    const said = text(words, 2000, "A message has 1 to 2000 characters.");
    const message = { id: text(id, 64, "A message needs an id."), to: member(peer), from: member(socket), text: said, at: Date.now() };
    peer.emit("private", message);
    return { at: message.at };
  }));
  socket.on("received", ({ id, from }) => {
    if (typeof from === "string" && !from.startsWith("room:")) io.to(from).emit("delivered", { id, by: member(socket) });
  });
  socket.on("disconnecting", () => {
    for (const room of names(socket)) socket.to(room).emit("left", { room: room.slice(5), member: member(socket) });
  });

  socket.emit("welcome", { you: member(socket), rooms: [...rooms.keys()].sort() });
  if (!socket.recovered) return;
  for (const room of names(socket)) socket.to(room).emit("joined", { room: room.slice(5), member: member(socket), back: true });
});

// What was said on the other nodes. The change stream is open a moment after the start.
setTimeout(() => {
  io.serverSideEmit("past", (_error, answers) => {
    for (const { rooms: known } of answers ?? []) for (const { messages } of known) messages.forEach(keep);
  });
}, 1000);

http.listen(Number(PORT), () => console.log(`The chat is at http://localhost:${PORT}`));

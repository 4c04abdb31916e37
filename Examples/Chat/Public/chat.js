// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

// The chat's client: what it knows, and what it says to the server. PROTOCOL.md beside the server's source lists the events.

import { Outbox } from "./outbox.js";
import { View } from "./view.js";

const home = "lobby";
const keptMessages = 500;
const typingLasts = 4000;
const receiptsUpTo = 20; // members: in larger rooms every receipt would cost more than it tells

const view = new View();
/** Rooms are kept under "#name", private talks under "@nickname". */
const talks = new Map();
let me = { id: "", nick: "" };
let current = null;

// Talks

function talk(key) {
  let found = talks.get(key);
  if (!found) {
    found = { key, name: key.slice(1), isRoom: key[0] === "#", joined: false, peer: null, unread: 0, members: new Map(), messages: new Map(), typing: new Map() };
    talks.set(key, found);
  }
  return found;
}

function show(key, peer = null) {
  current = talk(key);
  current.peer = peer ?? current.peer;
  current.unread = 0;
  view.closeDrawers();
  if (current.isRoom && !current.joined) join(current);
  view.talk(current, me);
  refresh();
}

function refresh() {
  view.lists([...talks.values()], current, peerOf);
  if (current) view.people(current, me, peerOf(current));
}

/** The socket id behind a private talk, if that person is in a room that we share. A new session has a new id. */
function peerOf({ name, peer }) {
  let other = null;
  for (const { members } of talks.values()) {
    if (members.has(peer)) return peer;
    for (const member of members.values()) if (member.nick === name && member.id !== me.id) other = member.id;
  }
  return other;
}

function add(to, message) {
  const known = to.messages.get(message.id);
  if (known) {
    Object.assign(known, { at: message.at, state: known.state === "pending" ? "sent" : known.state });
    view.update(to, current, known);
    return false;
  }
  to.messages.set(message.id, message);
  if (to.messages.size > keptMessages) to.messages.delete(to.messages.keys().next().value);
  if (to === current) view.append(message, me);
  else if (!message.mine) to.unread += 1;
  return true;
}

function note(to, text, kind = "") {
  if (to === current) view.note(text, kind);
}

// The connection

const socket = io({ autoConnect: false, path: new URL("socket.io/", location.href).pathname, reconnectionDelayMax: 3000 });
const outbox = new Outbox(socket, answered);
/** Messages that came since the connection broke; null while it holds. A recovered socket gets them before or right after `connect`. */
let caughtUp = null;

socket.on("connect", () => {
  if (!socket.recovered) for (const each of talks.values()) if (each.joined) join(each);
  outbox.flush();
  view.connected(socket.id, socket.io.engine.transport.name, socket.recovered);
  socket.io.engine.on("upgrade", (transport) => view.transport(transport.name));
});

socket.on("disconnect", (reason) => {
  caughtUp = 0;
  if (current) view.typing([]);
  view.offline(navigator.onLine ? reason : "offline");
});

socket.on("connect_error", (error) => {
  if (socket.active) return view.offline(navigator.onLine ? error.message : "offline");
  view.askNick(error.data?.reason ?? error.message);
});

socket.io.on("reconnect_attempt", (attempt) => view.connecting(attempt));
addEventListener("online", () => socket.active && !socket.connected && socket.disconnect().connect());

socket.on("welcome", ({ you, rooms }) => {
  me = you;
  view.me(me);
  rooms.forEach((name) => talk(`#${name}`));
  if (socket.recovered && caughtUp !== null) {
    const missed = caughtUp === 0 ? "nothing was missed" : caughtUp === 1 ? "1 message caught up" : `${caughtUp} messages caught up`;
    view.recovered(missed);
    note(current, `Connection recovered · ${missed}`, "recovered");
    refresh();
  } else {
    show(current?.key ?? `#${sessionStorage.getItem("room") ?? home}`);
  }
  caughtUp = null;
});

// What the server says

socket.on("rooms", (rooms) => {
  rooms.forEach((name) => talk(`#${name}`));
  refresh();
});

socket.on("joined", ({ room, member, back }) => {
  const to = talk(`#${room}`);
  if (member.id !== me.id && !to.members.has(member.id)) note(to, `${member.nick} ${back ? "is back" : "came in"}`);
  to.members.set(member.id, member);
  refresh();
});

socket.on("left", ({ room, member }) => {
  const to = talk(`#${room}`);
  if (member.id === me.id) return;
  to.members.delete(member.id);
  typing(to, member, false);
  note(to, `${member.nick} left`);
  refresh();
});

socket.on("renamed", ({ member, was }) => {
  for (const each of talks.values()) if (each.members.has(member.id)) each.members.set(member.id, member);
  if (current?.members.has(member.id) || current?.key === `@${was}`) note(current, `${was} is now ${member.nick}`);
  if (current?.key === `@${was}` && member.id !== me.id) show(`@${member.nick}`);
  refresh();
});

socket.on("message", (message) => receive(talk(`#${message.room}`), message));
socket.on("private", (message) => {
  const to = talk(`@${message.from.nick}`);
  to.peer = message.from.id;
  receive(to, message);
});

function receive(to, message) {
  typing(to, message.from, false);
  if (add(to, message) && caughtUp !== null) caughtUp += 1;
  if (to.members.size <= receiptsUpTo) socket.emit("received", { id: message.id, from: message.from.id });
  refresh();
}

socket.on("delivered", ({ id, by }) => {
  for (const each of talks.values()) {
    const message = each.messages.get(id);
    if (!message?.mine) continue;
    message.state = "delivered";
    message.deliveredTo.add(by.nick);
    view.update(each, current, message);
  }
});

socket.on("typing", ({ room, member, on }) => typing(talk(`#${room}`), member, on));

function typing(to, member, on) {
  clearTimeout(to.typing.get(member.id)?.timer);
  if (on) to.typing.set(member.id, { nick: member.nick, timer: setTimeout(() => typing(to, member, false), typingLasts) });
  else if (!to.typing.delete(member.id)) return;
  if (to === current) view.typing([...to.typing.values()].map(({ nick }) => nick));
}

// What we say

function join(to) {
  to.joined = true;
  socket.timeout(8000).emit("join", to.name, (error, answer) => {
    if (error) return; // joined again after the reconnect
    if (answer.error) {
      to.joined = false;
      note(to, answer.error);
      return;
    }
    to.members = new Map(answer.members.map((member) => [member.id, member]));
    for (const message of answer.messages) {
      add(to, { ...message, mine: to.messages.get(message.id)?.mine ?? message.from.id === me.id, state: "sent", deliveredTo: new Set() });
    }
    if (to === current) sessionStorage.setItem("room", to.name);
    refresh();
  });
}

function leave(to) {
  to.joined = false;
  to.members.clear();
  socket.emit("leave", to.name, () => {});
  show(`#${[...talks.values()].find((each) => each.joined)?.name ?? home}`);
}

function send(text) {
  const message = { id: newID(), from: me, text, at: Date.now(), mine: true, state: "pending", deliveredTo: new Set() };
  const to = current.isRoom ? null : peerOf(current);
  if (!current.isRoom && !to) return note(current, `${current.name} is not here any more`);
  add(current, message);
  outbox.add(message.id, current.isRoom ? "message" : "private", { id: message.id, text, ...(to ? { to } : { room: current.name }) });
  view.waiting(outbox.size);
}

function answered(id, answer) {
  view.waiting(outbox.size);
  for (const each of talks.values()) {
    const message = each.messages.get(id);
    if (!message) continue;
    if (answer.error) note(each, answer.error);
    if (message.state === "pending") message.state = answer.error ? "failed" : "sent";
    message.at = answer.at ?? message.at;
    view.update(each, current, message);
  }
}

/** `crypto.randomUUID` needs HTTPS, and a phone on the same network has none. */
function newID() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// What the person does

let saidTyping = 0;

view.on({
  signIn(nick) {
    localStorage.setItem("nick", nick);
    if (!socket.active) {
      socket.auth = { nick };
      return socket.connect();
    }
    socket.emit("rename", nick, (answer) => {
      if (answer.error) return view.askNick(answer.error);
      me = { ...me, nick: answer.nick };
      socket.auth = { nick: answer.nick };
      view.me(me);
      refresh();
    });
  },
  rename: () => view.askNick("", me.nick),
  open: show,
  openRoom: (name) => show(`#${name}`),
  leave: () => current?.isRoom && leave(current),
  send(text) {
    saidTyping = 0;
    send(text);
  },
  write(text) {
    if (!current?.isRoom) return;
    const on = text !== "";
    if (on && Date.now() - saidTyping < typingLasts / 2) return;
    saidTyping = on ? Date.now() : 0;
    socket.volatile.emit("typing", current.name, on);
  },
  cut: () => socket.io.engine?.close(),
});

view.askNick("", localStorage.getItem("nick") ?? "");

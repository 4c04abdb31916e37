// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

// Draws the chat and reports what the person does. Knows nothing of sockets.

const get = (id) => document.getElementById(id);
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const sameSpeaker = 5 * 60 * 1000; // milliseconds within which messages of one person are drawn as one block

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

/** A colour for each nickname, the same on every screen. */
function hue(nick) {
  let hash = 0x811c9dc5; // FNV-1a
  for (const character of nick) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193) >>> 0;
  return hash % 360;
}

function colour(element, nick) {
  element.style.setProperty("--hue", hue(nick));
  return element;
}

function avatar(nick) {
  const element = make("span", "avatar", [...nick].slice(0, 1).join("").toUpperCase());
  element.setAttribute("aria-hidden", "true");
  return colour(element, nick);
}

export class View {
  #handlers = {};
  #last = null;
  #status = null;

  on(handlers) {
    this.#handlers = handlers;
    this.#listen();
  }

  #listen() {
    const handle = this.#handlers;
    get("sign-in-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const nick = get("nick").value.trim();
      if (!nick) return;
      get("sign-in").close();
      handle.signIn(nick);
    });
    get("sign-in").addEventListener("cancel", (event) => get("app").hidden && event.preventDefault());
    get("new-room").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = get("new-room-name").value.trim().replace(/^#/, "");
      get("new-room-name").value = "";
      if (name) handle.openRoom(name);
    });
    get("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    const text = get("text");
    text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    text.addEventListener("input", () => {
      this.#grow();
      handle.write(text.value);
    });
    get("rename").addEventListener("click", handle.rename);
    get("leave").addEventListener("click", handle.leave);
    get("cut").addEventListener("click", () => {
      get("details").hidePopover();
      handle.cut();
    });
    get("theme").addEventListener("click", () => this.#theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark", true));
    for (const name of ["rooms", "people"]) get(`show-${name}`).addEventListener("click", () => this.#open(name));
    get("shade").addEventListener("click", () => this.closeDrawers());
    addEventListener("keydown", (event) => event.key === "Escape" && this.closeDrawers());

    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", () => this.#theme(localStorage.getItem("theme") ?? (dark.matches ? "dark" : "light")));
    this.#theme(localStorage.getItem("theme") ?? (dark.matches ? "dark" : "light"));
  }

  #submit() {
    const text = get("text");
    const value = text.value.trim();
    if (!value) return;
    text.value = "";
    this.#grow();
    this.#handlers.send(value);
    text.focus();
  }

  #grow() {
    const text = get("text");
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight + 2}px`;
  }

  #theme(name, chosen = false) {
    document.documentElement.dataset.theme = name;
    if (chosen) localStorage.setItem("theme", name);
  }

  #open(name) {
    get(name).classList.add("open");
    get(`show-${name}`).setAttribute("aria-expanded", "true");
    get("shade").hidden = false;
    get(name).querySelector("button, input")?.focus();
  }

  closeDrawers() {
    for (const name of ["rooms", "people"]) {
      get(name).classList.remove("open");
      get(`show-${name}`).setAttribute("aria-expanded", "false");
    }
    get("shade").hidden = true;
  }

  // Who we are

  askNick(error, nick) {
    get("sign-in-error").textContent = error;
    if (nick !== undefined) get("nick").value = nick;
    if (!get("sign-in").open) get("sign-in").showModal();
    get("nick").select();
  }

  me({ nick, node }) {
    get("detail-node").textContent = node;
    get("my-node").textContent = node;
    get("app").hidden = false;
    get("my-nick").textContent = nick;
    get("my-avatar").textContent = [...nick][0]?.toUpperCase() ?? "";
    colour(get("my-avatar"), nick);
  }

  // The connection

  #state(state, text, extra = "") {
    clearTimeout(this.#status);
    get("status").dataset.state = state;
    const label = get("status-text");
    label.textContent = text;
    if (extra) label.append(make("span", "extra", ` · ${extra}`));
    get("detail-state").textContent = text;
  }

  connected(id, transport, recovered) {
    get("detail-id").textContent = id;
    get("detail-recovered").textContent = recovered ? "recovered" : "new session";
    this.transport(transport);
  }

  transport(name) {
    const shown = name === "websocket" ? "WebSocket" : "long-polling";
    get("detail-transport").textContent = shown;
    if (get("status").dataset.state !== "recovered") this.#state("connected", "Connected", shown);
  }

  recovered(missed) {
    this.#state("recovered", "Recovered", missed);
    this.#status = setTimeout(() => this.#state("connected", "Connected", get("detail-transport").textContent), 6000);
  }

  connecting(attempt) {
    this.#state("connecting", "Reconnecting…", `attempt ${attempt}`);
  }

  offline(reason) {
    this.#state("offline", reason === "offline" ? "Offline" : "Reconnecting…");
    get("detail-transport").textContent = "–";
  }

  waiting(count) {
    get("detail-waiting").textContent = count;
  }

  // Lists

  lists(talks, current, peerOf) {
    const rooms = talks.filter((each) => each.isRoom).sort((a, b) => b.joined - a.joined || a.name.localeCompare(b.name));
    const others = talks.filter((each) => !each.isRoom);
    get("room-list").replaceChildren(...rooms.map((each) => this.#entry(each, current, make("span", "hash", "#"))));
    get("show-rooms").classList.toggle("unread", talks.some((each) => each.unread));
    get("private-title").hidden = others.length === 0;
    get("private-list").replaceChildren(...others.map((each) => this.#entry(each, current, avatar(each.name), !peerOf(each))));
  }

  #entry(each, current, mark, away = false) {
    const button = make("button", "entry", mark, make("span", "label", each.name));
    button.type = "button";
    if (away || (each.isRoom && !each.joined)) button.classList.add("apart");
    if (each === current) button.setAttribute("aria-current", "true");
    if (each.unread) {
      const badge = make("span", "badge", String(each.unread));
      badge.setAttribute("aria-label", `${each.unread} unread`);
      button.append(badge);
    }
    button.addEventListener("click", () => this.#handlers.open(each.key));
    return make("li", "", button);
  }

  people(talk, me, peer) {
    const members = [...talk.members.values()].sort((a, b) => (b.id === me.id) - (a.id === me.id) || a.nick.localeCompare(b.nick));
    get("people-list").replaceChildren(...members.map((member) => this.#person(member, me)));
    get("people-count").textContent = members.length || "";
    get("leave").hidden = !talk.isRoom;
    const here = members.length === 1 ? "only you are here" : `${members.length} people here`;
    get("subtitle").textContent = talk.isRoom ? here : peer ? "private · online" : "private · not here now";
  }

  #person(member, me) {
    const label = make("span", "label", member.nick);
    const button = make("button", "entry", avatar(member.nick), label);
    button.type = "button";
    if (member.node !== me.node) button.append(make("span", "node", member.node));
    if (member.id === me.id) {
      label.append(make("span", "you", " (you)"));
      button.disabled = true;
    } else {
      button.title = `Talk to ${member.nick} in private`;
      button.addEventListener("click", () => this.#handlers.open(`@${member.nick}`, member.id));
    }
    return make("li", "", button);
  }

  // Messages

  talk(talk, me) {
    get("title").textContent = talk.isRoom ? `# ${talk.name}` : talk.name;
    get("text").placeholder = talk.isRoom ? `Say something in #${talk.name}…` : `Write to ${talk.name}…`;
    get("messages").replaceChildren();
    this.#last = null;
    for (const message of talk.messages.values()) this.append(message, me);
    this.typing([...talk.typing.values()].map(({ nick }) => nick));
  }

  append(message, me) {
    const list = get("messages");
    const follow = message.mine || list.scrollHeight - list.scrollTop - list.clientHeight < 120;
    const last = this.#last;
    const first = !last || last.from.id !== message.from.id || last.mine !== message.mine || message.at - last.at > sameSpeaker;
    list.append(this.#message(message, first));
    this.#last = message;
    if (follow) list.scrollTop = list.scrollHeight;
  }

  #message(message, first) {
    const bubble = make("div", "bubble", message.text);
    const time = make("time", "", clock.format(message.at));
    time.dateTime = new Date(message.at).toISOString();
    const meta = make("span", "meta", time);
    bubble.append(meta);
    const body = make("div", "body");
    const item = make("li", "message");
    item.dataset.id = message.id;
    if (first) item.classList.add("first");
    if (message.mine) {
      item.classList.add("mine");
      meta.append(make("span", "ticks"));
    } else if (first) {
      body.append(colour(make("span", "name", message.from.nick), message.from.nick));
      item.append(avatar(message.from.nick));
    }
    body.append(bubble);
    item.append(body);
    if (message.mine) this.#ticks(item, message);
    return item;
  }

  update(talk, current, message) {
    if (talk !== current) return;
    const item = get("messages").querySelector(`[data-id="${CSS.escape(message.id)}"]`);
    if (item && message.mine) this.#ticks(item, message);
  }

  #ticks(item, message) {
    const ticks = item.querySelector(".ticks");
    const names = [...message.deliveredTo].join(", ");
    const [sign, words] = {
      pending: ["◷", "Waiting to be sent"],
      sent: ["✓", "Sent"],
      delivered: ["✓✓", `Delivered to ${names}`],
      failed: ["!", "Refused"],
    }[message.state];
    ticks.textContent = sign;
    ticks.title = words;
    ticks.setAttribute("role", "img");
    ticks.setAttribute("aria-label", words);
    item.classList.toggle("pending", message.state === "pending");
    item.classList.toggle("failed", message.state === "failed");
    item.dataset.state = message.state;
  }

  note(text, kind) {
    const list = get("messages");
    const follow = list.scrollHeight - list.scrollTop - list.clientHeight < 120;
    list.append(make("li", `note ${kind}`.trim(), text));
    this.#last = null;
    if (follow) list.scrollTop = list.scrollHeight;
  }

  typing(nicks) {
    const shown = nicks.slice(0, 3).join(", ");
    get("typing").textContent = nicks.length === 0 ? "" : nicks.length === 1 ? `${shown} is typing…` : `${shown} are typing…`;
  }
}

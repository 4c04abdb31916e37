// Copyright 2026 the swift-socketio authors
// SPDX-License-Identifier: Apache-2.0

// Keeps each message until the server has acknowledged it. Messages leave in the order of writing; after a reconnect
// those without an answer are sent again. The server recognises copies by their id.

const answerTimeout = 8000;

export class Outbox {
  #waiting = new Map();
  #socket;
  #onAnswer;

  /** `onAnswer(id, answer)` is called once per message, with the server's acknowledgement. */
  constructor(socket, onAnswer) {
    this.#socket = socket;
    this.#onAnswer = onAnswer;
  }

  get size() {
    return this.#waiting.size;
  }

  add(id, event, payload) {
    this.#waiting.set(id, { event, payload, inFlight: false });
    this.flush();
  }

  /** Called after each connect. The client fails all acknowledgements that were open when the connection broke. */
  flush() {
    if (!this.#socket.connected) return;
    for (const [id, entry] of this.#waiting) {
      if (!entry.inFlight) this.#send(id, entry);
    }
  }

  #send(id, entry) {
    entry.inFlight = true;
    this.#socket.timeout(answerTimeout).emit(entry.event, entry.payload, (error, answer) => {
      entry.inFlight = false;
      if (error) {
        this.flush();
      } else if (this.#waiting.delete(id)) {
        this.#onAnswer(id, answer);
      }
    });
  }
}

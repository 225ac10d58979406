/** What is recorded goes to the service as it comes; where the connection is lost, a new one goes on. */

import { Problem, asProblem } from "../problems.js";

/** A new connection hears what came since the last final again, but no more than this. */
const RESUMED_S = 60;
const [FIRST_WAIT_S, LONGEST_WAIT_S] = [1, 15];
/** A connection that tells nothing for so long is lost: each hearing tells of its frames. */
const SILENCE_MS = 30_000;
/** More than this waits where it is kept in any case, not in the socket. */
const MOST_UNSENT_BYTES = 2 ** 18;
/** Behind by more than this, the last words come with the transcription alone. */
const LATE_S = 5;

/** Close codes: RFC 6455 (section 7.4.1). */
const [GOING_AWAY, ABNORMAL, POLICY] = [1001, 1006, 1008];

/**
 * @typedef {object} Told
 * @property {(message: any, base_s: number) => void} onHeard a message of docs/live.md; its times count from base_s.
 * @property {(from_s: number, to_s: number) => void} onGap what no connection heard.
 * @property {() => void} onState `connected`, `problem`, `wait_s` or `step_s` are others.
 * @property {(reason: string, until_s: number) => void} onEnd the service wants no more than that: what came last was
 *   too much.
 */

export class LiveStream {
  /**
   * @param {import("../api.js").Api} api
   * @param {import("../recorder.js").Recorder} recorder that has begun.
   * @param {{name: string, frame_s: number}} model
   * @param {Told} told
   */
  constructor(api, recorder, model, told) {
    Object.assign(this, { api, recorder, model, told });
    /** @type {WebSocket | null} */
    this.socket = null;
    this.connected = false;
    /** Why there is no connection. @type {Problem | null} */
    this.problem = null;
    /** When it is tried again; null for never. @type {number | null} */
    this.wait_s = null;
    this.step_s = 0;
    /** Up to there all is heard. */
    this.heard_s = 0;
    /** Where the utterance begins that is being said. @type {number | null} */
    this.utterance_s = null;
    this.base_s = 0;
    this.next = 0;
    this.failures = 0;
    this.phase = "open"; // or "finishing", or "closed"
    this.#connect();
  }

  /** How far hearing is behind speaking. */
  get late_s() {
    return Math.max(this.recorder.duration_s - this.heard_s, 0);
  }

  /** Send what has been recorded since. */
  send() {
    const { blocks } = this.recorder;
    while (this.#isOpen && this.next < blocks.length && this.socket.bufferedAmount < MOST_UNSENT_BYTES)
      this.socket.send(blocks[this.next++]);
  }

  /** Whether the service listens, and the connection is not about to be closed. */
  get #isOpen() {
    return this.connected && this.socket.readyState === WebSocket.OPEN;
  }

  /** End behind what was recorded, and tell the last words. */
  finish() {
    if (!this.#isOpen || this.late_s > LATE_S) return this.close();
    this.phase = "finishing";
    for (const block of this.recorder.blocks.slice(this.next)) this.socket.send(block);
    this.socket.send(JSON.stringify({ type: "end" }));
  }

  /** End at once. */
  close() {
    this.phase = "closed";
    clearTimeout(this.silence);
    clearTimeout(this.waiting);
    this.socket?.close();
  }

  async #connect() {
    try {
      await this.api.json("model", { model: this.model.name }); // asks for a key where one is needed, and notices who does not answer
    } catch (error) {
      return this.#retry(asProblem(error));
    }
    if (this.phase !== "open") return;
    const query = { model: this.model.name, probs: true, sample_rate_hz: this.recorder.rate_hz };
    const socket = this.api.socket("stream", query);
    this.socket = socket;
    this.ending = { reason: "", duration_s: 0, problem: null };
    socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    socket.onclose = ({ code }) => this.#lose(socket, code);
    this.#watch(socket);
  }

  #watch(socket) {
    clearTimeout(this.silence);
    this.silence = setTimeout(() => {
      socket.close();
      this.#lose(socket, ABNORMAL);
    }, SILENCE_MS);
  }

  #take(message) {
    if (this.phase === "closed") return;
    this.#watch(this.socket);
    if (message.type === "ready") return this.#begin();
    if (message.type === "pace") return this.#change({ step_s: message.step_s });
    if (message.type === "closing") this.ending.reason = message.reason;
    else if (message.type === "done") this.ending.duration_s = message.duration_s;
    else if (message.type === "error") this.ending.problem = new Problem(message, message.retry_after_s);
    else this.#hear(message);
  }

  #hear(message) {
    if (message.type === "speech_started") this.utterance_s = this.base_s + message.start_s;
    else if (message.type === "final") this.utterance_s = null;
    else if (message.type === "frames") {
      const frames = message.first_frame + message.probs.length;
      this.heard_s = Math.max(this.heard_s, this.base_s + (frames - 0.5) * this.model.frame_s);
    }
    this.told.onHeard(message, this.base_s);
  }

  /** Go on where hearing had come to. */
  #begin() {
    const { duration_s } = this.recorder;
    const block_s = this.#block_s;
    const from_s = this.utterance_s ?? this.heard_s;
    this.next = Math.floor(Math.max(from_s, duration_s - RESUMED_S) / block_s);
    this.base_s = this.next * block_s;
    this.utterance_s = null;
    this.failures = 0;
    if (this.base_s > from_s) this.told.onGap(from_s, this.base_s);
    this.#change({ connected: true, problem: null, wait_s: null, step_s: 0 });
    this.send();
  }

  get #block_s() {
    const { blocks, rate_hz } = this.recorder;
    return blocks.length ? blocks[0].length / rate_hz : 1;
  }

  #lose(socket, code) {
    if (socket !== this.socket) return; // it was given up
    this.socket = null;
    this.connected = false;
    clearTimeout(this.silence);
    if (this.phase !== "open") return;
    const { reason, duration_s, problem } = this.ending;
    if (code === GOING_AWAY) return this.told.onEnd(reason, this.base_s + duration_s - this.#block_s);
    if (code === POLICY) return this.#change({ problem: problem ?? lost(reason), wait_s: null });
    this.#retry(problem ?? lost(reason));
  }

  /** @param {Problem} problem */
  #retry(problem) {
    if (this.phase !== "open") return;
    const wait_s = Math.min(FIRST_WAIT_S * 2 ** this.failures++, LONGEST_WAIT_S);
    this.#change({ problem, wait_s: Math.max(problem.retryAfter_s ?? 0, wait_s) });
    this.waiting = setTimeout(() => this.#connect(), this.wait_s * 1000);
  }

  #change(state) {
    Object.assign(this, state);
    this.told.onState();
  }
}

/** @param {string} reason that the service gave. */
function lost(reason) {
  const detail = reason || "It may be restarting, or a proxy before it may not let WebSockets through.";
  return new Problem({ title: "The connection to the service is lost", detail });
}

/** Sends the recording to the service as it is made, and reconnects when the connection is lost. */

import { Problem, asProblem } from "../problems.js";

/** A new connection is sent the audio since the last final, but no more than this. */
const RESUMED_S = 60;
const [FIRST_WAIT_S, LONGEST_WAIT_S] = [1, 15];
/** A connection that is silent for so long is lost: each run of the model sends frames. */
const SILENCE_MS = 30_000;
/** Limit of data buffered in the socket; the rest waits in the recording. */
const MOST_UNSENT_BYTES = 2 ** 18;
/** If recognition is further behind, the last words come only with the transcription. */
const LATE_S = 5;

/** Close codes: RFC 6455 (section 7.4.1). */
const [GOING_AWAY, ABNORMAL, POLICY] = [1001, 1006, 1008];

/**
 * @typedef {object} Callbacks
 * @property {(message: any, base_s: number) => void} onMessage a message of docs/live.md; its times count from base_s.
 * @property {(from_s: number, to_s: number) => void} onGap audio that no connection received.
 * @property {() => void} onState `connected`, `problem`, `wait_s` or `step_s` has changed.
 * @property {(reason: string, until_s?: number) => void} onEnd the service has ended the stream; it accepts a recording
 *   up to until_s, if it said how much it received.
 */

export class LiveStream {
  /**
   * @param {import("../api.js").Api} api
   * @param {import("../recorder.js").Recorder} recorder that is running.
   * @param {{name: string, frame_s: number}} model
   * @param {Callbacks} callbacks
   */
  constructor(api, recorder, model, callbacks) {
    Object.assign(this, { api, recorder, model, callbacks });
    /** @type {WebSocket | null} */
    this.socket = null;
    this.connected = false;
    /** Why there is no connection. @type {Problem | null} */
    this.problem = null;
    /** Time until the next attempt; null for none. @type {number | null} */
    this.wait_s = null;
    this.step_s = 0;
    /** Everything before this time is recognized. */
    this.recognized_s = 0;
    /** Start of the current utterance. @type {number | null} */
    this.utterance_s = null;
    this.base_s = 0;
    this.next = 0;
    this.failures = 0;
    this.phase = "open"; // or "finishing", or "closed"
    this.#connect();
  }

  /** How far recognition is behind. */
  get late_s() {
    return Math.max(this.recorder.duration_s - this.recognized_s, 0);
  }

  /** Send what has been recorded since the last call. */
  send() {
    const { blocks } = this.recorder;
    while (this.#isOpen && this.next < blocks.length && this.socket.bufferedAmount < MOST_UNSENT_BYTES)
      this.socket.send(blocks[this.next++]);
  }

  /** Whether the service is ready, and the connection is not closing. */
  get #isOpen() {
    return this.connected && this.socket.readyState === WebSocket.OPEN;
  }

  /** End the stream after the last block, and receive its last words. */
  finish() {
    if (!this.#isOpen || this.late_s > LATE_S) return this.close();
    this.phase = "finishing";
    for (const block of this.recorder.blocks.slice(this.next)) this.socket.send(block);
    this.socket.send(JSON.stringify({ type: "end" }));
  }

  /** Close at once. */
  close() {
    this.phase = "closed";
    clearTimeout(this.silence);
    clearTimeout(this.waiting);
    this.socket?.close();
  }

  async #connect() {
    try {
      // Asks for a key if one is needed, and detects a service that does not respond.
      await this.api.json("model", { model: this.model.name });
    } catch (error) {
      return this.#retry(asProblem(error));
    }
    if (this.phase !== "open") return;
    const query = { model: this.model.name, probs: true, sample_rate_hz: this.recorder.rate_hz };
    const socket = this.api.socket("stream", query);
    this.socket = socket;
    this.ending = { reason: null, duration_s: null, problem: null };
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
    else this.#handle(message);
  }

  #handle(message) {
    if (message.type === "speech_started") this.utterance_s = this.base_s + message.start_s;
    else if (message.type === "final") this.utterance_s = null;
    else if (message.type === "frames") {
      const frames = message.first_frame + message.probs.length;
      this.recognized_s = Math.max(this.recognized_s, this.base_s + (frames - 0.5) * this.model.frame_s);
    }
    this.callbacks.onMessage(message, this.base_s);
  }

  /** Continue where recognition was interrupted. */
  #begin() {
    const { duration_s } = this.recorder;
    const block_s = this.#block_s;
    const from_s = this.utterance_s ?? this.recognized_s;
    this.next = Math.floor(Math.max(from_s, duration_s - RESUMED_S) / block_s);
    this.base_s = this.next * block_s;
    this.utterance_s = null;
    this.failures = 0;
    if (this.base_s > from_s) this.callbacks.onGap(from_s, this.base_s);
    this.#change({ connected: true, problem: null, wait_s: null, step_s: 0 });
    this.send();
  }

  get #block_s() {
    const { blocks, rate_hz } = this.recorder;
    return blocks.length ? blocks[0].length / rate_hz : 1;
  }

  #lose(socket, code) {
    if (socket !== this.socket) return; // replaced already
    this.socket = null;
    this.connected = false;
    clearTimeout(this.silence);
    if (this.phase !== "open") return;
    const { reason, duration_s, problem } = this.ending;
    if (code === GOING_AWAY && reason !== null) return this.callbacks.onEnd(reason, this.#accepted_s(duration_s));
    if (code === POLICY) return this.#change({ problem: problem ?? lost(reason), wait_s: null });
    this.#retry(problem ?? lost(reason));
  }

  /** How much of the recording the service accepts, where it received so much. @param {number | null} duration_s */
  #accepted_s(duration_s) {
    return duration_s === null ? undefined : this.base_s + duration_s - this.#block_s;
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
    this.callbacks.onState();
  }
}

/** @param {string | null} reason that the service gave. */
function lost(reason) {
  const detail = reason || "It may be restarting, or a proxy before it may not let WebSockets through.";
  return new Problem({ title: "The connection to the service is lost", detail });
}

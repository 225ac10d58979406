/** Playing the recording, or exactly a part of it. */

import { begin } from "./audio-context.js";
import { Problem } from "./problems.js";

const FADE_S = 0.004;

export class Player {
  /**
   * @param {(playing: boolean, at_s: number) => void} onMove told at every frame of the screen.
   * @param {(problem: Problem) => void} onProblem told where no sound begins.
   */
  constructor(onMove, onProblem) {
    Object.assign(this, { onMove, onProblem });
    /** @type {AudioContext | null} made at the first click, for browsers allow none before. */
    this.context = null;
    /** @type {AudioBuffer | null} */
    this.buffer = null;
    this.at_s = 0;
    /** Counts what was asked for, since a browser may take its time to let a sound begin. */
    this.turn = 0;
    /** @type {{source: AudioBufferSourceNode, began_s: number, from_s: number, to_s: number} | null} */
    this.current = null;
  }

  get playing() {
    return this.current !== null;
  }

  /** Take another recording, or none. @param {AudioBuffer | null} buffer */
  load(buffer) {
    this.pause();
    this.buffer = buffer;
    this.at_s = 0;
  }

  /** Where the next playing begins. @param {number} at_s */
  seek(at_s) {
    const going = this.playing;
    this.pause();
    this.at_s = at_s;
    if (going) this.play();
    else this.onMove(false, at_s);
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  /**
   * Play from where it stands, or a part.
   * @param {number} [from_s]
   * @param {number} [to_s]
   */
  async play(from_s, to_s) {
    if (!this.buffer) return;
    this.pause();
    const { turn } = this;
    const problem = await this.#begin();
    if (turn !== this.turn) return;
    if (problem) return this.onProblem(problem);
    const end_s = Math.min(to_s ?? Infinity, this.buffer.duration);
    let start_s = from_s ?? this.at_s;
    if (start_s >= end_s - 0.01) start_s = from_s ?? 0;
    const { source, began_s } = this.#start(start_s, end_s);
    this.current = { source, began_s, from_s: start_s, to_s: end_s };
    source.onended = () => this.current?.source === source && this.#stopAt(to_s === undefined ? 0 : start_s);
    this.#follow();
  }

  /** @returns {Promise<Problem | null>} why there is no sound. */
  async #begin() {
    try {
      this.context ??= new AudioContext();
      await begin(this.context);
      return null;
    } catch (error) {
      return new Problem({ title: "The recording can't be played", detail: error.message });
    }
  }

  pause() {
    this.turn++;
    if (!this.current) return;
    const at_s = this.#now_s();
    this.current.source.stop();
    this.#stopAt(at_s);
  }

  /** Begin at the next moment, with fades too short to hear, for a cut in a wave clicks. */
  #start(from_s, to_s) {
    const { context } = this;
    const source = new AudioBufferSourceNode(context, { buffer: this.buffer });
    const gain = new GainNode(context, { gain: 0 });
    source.connect(gain).connect(context.destination);
    const began_s = context.currentTime + 0.01;
    const stop_s = began_s + (to_s - from_s);
    gain.gain.setValueAtTime(0, began_s);
    gain.gain.linearRampToValueAtTime(1, began_s + FADE_S);
    gain.gain.setValueAtTime(1, Math.max(stop_s - FADE_S, began_s + FADE_S));
    gain.gain.linearRampToValueAtTime(0, stop_s);
    source.start(began_s, from_s, to_s - from_s);
    return { source, began_s };
  }

  #now_s() {
    const { began_s, from_s, to_s } = this.current;
    return Math.min(Math.max(from_s + this.context.currentTime - began_s, from_s), to_s);
  }

  #stopAt(at_s) {
    this.current = null;
    this.at_s = at_s;
    this.onMove(false, at_s);
  }

  #follow() {
    if (!this.current) return;
    this.onMove(true, this.#now_s());
    requestAnimationFrame(() => this.#follow());
  }
}

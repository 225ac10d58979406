/** The microphone, as a WAV file: nothing is compressed on the way, and nothing leaves before "stop". */

import { toWav } from "./wav.js";

const CONSTRAINTS = {
  channelCount: 1,
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: false,
};

export class Recorder {
  /**
   * @param {(level: number, elapsed_s: number) => void} onLevel told some ten times a second: the
   *   loudest sample since, 0 to 1, and the seconds so far.
   */
  constructor(onLevel) {
    this.onLevel = onLevel;
    /** @type {Float32Array[]} */
    this.blocks = [];
    this.samples = 0;
  }

  /** Why there is no microphone here, in words; empty if there may be one. */
  static unavailable() {
    if (navigator.mediaDevices && "AudioWorkletNode" in window) return "";
    return window.isSecureContext
      ? "This browser can't record."
      : "Browsers allow the microphone only on https:// pages and on http://localhost.";
  }

  /** Begin. @throws {DOMException} if the microphone is refused or missing. */
  async start() {
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: CONSTRAINTS });
    this.context = new AudioContext();
    await this.context.audioWorklet.addModule(new URL("./recorder-worklet.js", import.meta.url));
    const tap = new AudioWorkletNode(this.context, "tap", { numberOfOutputs: 0 });
    tap.port.onmessage = ({ data }) => this.#take(data);
    this.context.createMediaStreamSource(this.stream).connect(tap);
    await this.context.resume();
  }

  /** End, and let go of the microphone. @returns {Promise<Blob>} WAV, 16 bits, mono. */
  async stop() {
    const rate_hz = this.context.sampleRate;
    await this.cancel();
    return toWav(this.blocks, this.samples, rate_hz);
  }

  /** Let go of the microphone and forget what was said. */
  async cancel() {
    this.stream?.getTracks().forEach((track) => track.stop());
    if (this.context?.state !== "closed") await this.context?.close();
  }

  /** @param {Float32Array} block */
  #take(block) {
    this.blocks.push(block);
    this.samples += block.length;
    let peak = 0;
    for (const sample of block) peak = Math.max(peak, Math.abs(sample));
    this.onLevel(Math.min(peak, 1), this.samples / this.context.sampleRate);
  }
}

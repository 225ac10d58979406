/** The microphone, as 16-bit samples: nothing is compressed on the way. */

import { begin } from "./audio-context.js";
import { Problem } from "./problems.js";
import { RATE_HZ } from "./sound.js";
import { toPcm, toWav } from "./wav.js";

const CONSTRAINTS = {
  channelCount: 1,
  echoCancellation: false,
  noiseSuppression: false,
  autoGainControl: false,
};

/**
 * @typedef {object} Callbacks
 * @property {(pcm: Int16Array) => void} onBlock called for each block of 80 ms.
 * @property {() => void} onGone called when the microphone has been disconnected.
 */

export class Recorder {
  /** @param {Callbacks} callbacks */
  constructor({ onBlock, onGone }) {
    Object.assign(this, { onBlock, onGone });
    /** The model's; the device's own if the browser can't convert it. */
    this.rate_hz = RATE_HZ;
    this.closed = false;
    /** @type {Int16Array[]} of one length. */
    this.blocks = [];
    this.samples = 0;
  }

  /** Length of the recording. */
  get duration_s() {
    return this.samples === 0 ? 0 : this.samples / this.rate_hz;
  }

  /**
   * Begin. Browsers may wait for the user's permission for as long as they like.
   * @returns {Promise<boolean>} false if it was closed meanwhile.
   * @throws {Problem} if there is no microphone, or it is refused.
   */
  async start() {
    const why = unavailable();
    if (why) throw new Problem({ title: "The microphone isn't available here", detail: why });
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ audio: CONSTRAINTS });
      if (!this.closed) await this.#connect();
    } catch (error) {
      const wanted = !this.closed;
      await this.close();
      if (wanted) throw problemOf(error);
    }
    if (this.closed) await this.close(); // what was opened meanwhile
    return !this.closed;
  }

  /** Release the microphone; the recording is kept. */
  async close() {
    this.closed = true;
    this.stream?.getTracks().forEach((track) => track.stop()); // which fires no "ended"
    if (this.context && this.context.state !== "closed") await this.context.close();
  }

  /**
   * What was recorded.
   * @param {number} [until_s] leave out what comes later.
   * @returns {Blob} WAV, 16 bits, mono.
   */
  toWav(until_s = Infinity) {
    const blocks = Math.floor((until_s * this.rate_hz) / (this.blocks[0]?.length ?? 1));
    return toWav(this.blocks.slice(0, blocks), this.rate_hz);
  }

  async #connect() {
    this.stream.getAudioTracks()[0].addEventListener("ended", () => this.onGone());
    const source = await sourceOf(this.stream, this.rate_hz);
    this.context = source.context;
    this.rate_hz = this.context.sampleRate;
    await addTap(this.context);
    const tap = new AudioWorkletNode(this.context, "tap", { numberOfOutputs: 0 });
    tap.port.onmessage = ({ data }) => this.#take(toPcm(data));
    source.connect(tap);
    await begin(this.context);
  }

  /** @param {Int16Array} pcm */
  #take(pcm) {
    this.blocks.push(pcm);
    this.samples += pcm.length;
    this.onBlock(pcm);
  }
}

/** Why there is no microphone here, in words; empty if there may be one. */
function unavailable() {
  if (navigator.mediaDevices && "AudioWorkletNode" in window) return "";
  return window.isSecureContext
    ? "This browser can't record."
    : `This page was opened at ${location.origin}, which is not secure: browsers give the microphone to https:// pages and to http://localhost alone. Files can be transcribed all the same.`;
}

/** The microphone in a context of that rate, or of the device's where the browser can't convert it (Firefox). */
async function sourceOf(stream, rate_hz) {
  const context = new AudioContext({ sampleRate: rate_hz });
  try {
    return context.createMediaStreamSource(stream);
  } catch (error) {
    await context.close();
    if (error.name !== "NotSupportedError") throw error;
    return new AudioContext().createMediaStreamSource(stream);
  }
}

/** Load what collects samples: the one file that is not fetched together with the page. */
async function addTap(context) {
  try {
    await context.audioWorklet.addModule(new URL("./recorder-worklet.js", import.meta.url));
  } catch (error) {
    if (error.name !== "AbortError") throw error;
    const detail =
      "The service can't be reached, or it is newer than this page. Load the page again, then try again.";
    throw new Problem({ title: "A part of the page can't be loaded", detail });
  }
}

/** @param {any} error @returns {Problem} */
function problemOf(error) {
  if (error instanceof Problem) return error;
  return new Problem({ title: "The microphone can't be used", detail: reasonOf(error) });
}

function reasonOf(error) {
  if (error?.name === "NotAllowedError")
    return "The browser does not let this page use it. Allow it next to the address, and try again.";
  if (error?.name === "NotFoundError") return "No microphone is connected.";
  return String(error?.message ?? error);
}

/** The microphone has been disconnected. */
export function goneProblem() {
  const detail = "What was said until then is kept.";
  return new Problem({ title: "The microphone was disconnected", detail });
}

/** A name for a recording, by the time of day. */
export function recordingName() {
  return `recording-${new Date().toTimeString().slice(0, 8).replaceAll(":", "-")}.wav`;
}

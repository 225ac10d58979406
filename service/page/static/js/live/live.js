/** Live transcription. The recording is kept, and transcribed as a whole when it is stopped. */

import { copy } from "../clipboard.js";
import { byId } from "../dom.js";
import { clock } from "../format.js";
import { symbolsOf } from "../matrices.js";
import { Problem, clearProblem, showProblem } from "../problems.js";
import { Recorder, goneProblem, recordingName } from "../recorder.js";
import { save } from "../save.js";
import { LivePosteriors } from "./posteriors.js";
import { LiveWaveform } from "./waveform.js";
import { LiveStage } from "./stage.js";
import { LiveStream } from "./stream.js";
import { LiveText } from "./text.js";

/** Seconds kept for display: more than any screen shows. */
const KEPT_S = 40;
/** A message is shown if words are later than this. */
const LATE_S = 5;
/** A message is shown if words come less often than this. */
const SLOW_STEP_S = 0.8;
/** What the status line says first of all in a phase. */
const STATES = {
  asking: "Waiting for the microphone: the browser asks whether this page may use it.",
  on: "Connecting …",
  kept: "Stopped, and not transcribed",
};

export class Live {
  /** @param {Record<string, any>} parts the page's. */
  constructor({ store, api, player, session, isBusy, problems }) {
    Object.assign(this, { store, api, player, session, isBusy, problems });
    this.stage = new LiveStage(store);
    /** @type {Recorder | null} */
    this.recorder = null;
    const click = (id, action) => byId(id).addEventListener("click", action);
    for (const button of document.querySelectorAll("[data-live]"))
      button.addEventListener("click", () => this.#start());
    click("live-stop", () => this.#stop());
    click("live-again", () => this.#transcribe());
    click("live-save", () => save(this.blob, this.name));
    click("live-discard", () => this.#discard());
    click("live-copy", () => copy(this.text.text, byId("live-copy"), byId("live-finals")));
    store.on(["theme"], () => this.text?.shade());
    store.on(["phase"], ({ phase }) => phase !== "working" && queueMicrotask(() => this.#settle()));
  }

  /** Whether a recording is in progress, or kept. */
  get active() {
    return this.recorder !== null;
  }

  async #start() {
    if (this.recorder || this.isBusy()) return;
    const recorder = new Recorder({
      onBlock: (pcm) => this.#take(pcm),
      onGone: () => this.#stop(goneProblem()),
    });
    this.recorder = recorder;
    this.text = new LiveText(KEPT_S, this.store.state.style);
    byId("live-copy").hidden = true;
    byId("live-elapsed").textContent = clock(0, 1);
    this.#show("asking");
    try {
      await this.session.requireModel();
      if (!(await recorder.start())) return;
    } catch (problem) {
      if (this.recorder !== recorder) return; // discarded meanwhile
      this.#clear();
      return showProblem(this.problems, problem);
    }
    this.player.pause();
    clearProblem(this.problems);
    this.#begin();
  }

  #begin() {
    const { model } = this.store.state;
    const { recorder } = this;
    const symbols = symbolsOf(model);
    this.#show("on");
    this.probs = new LivePosteriors(symbols.length, model.frame_s, KEPT_S);
    this.waveform = new LiveWaveform(recorder.rate_hz, KEPT_S);
    this.stream = new LiveStream(this.api, recorder, model, {
      onMessage: (message, base_s) => this.#handle(message, base_s),
      onGap: (from_s, to_s) => this.text.showGap(from_s, to_s),
      onState: () => this.#updateState(),
      onEnd: (reason, until_s) => this.#stop(endedProblem(reason), until_s),
    });
    this.stage.begin({
      ...{ probs: this.probs, waveform: this.waveform, symbols },
      tokens: () => this.text.tokens,
      duration_s: () => recorder.duration_s,
      recognized_s: () => this.stream.recognized_s,
    });
    byId("live-stop").focus();
  }

  #take(pcm) {
    if (document.body.dataset.livePhase !== "on") return; // the last block, after the recording was stopped
    this.waveform.put(pcm);
    this.stream.send();
    byId("live-elapsed").textContent = clock(this.recorder.duration_s, 1);
    this.#updateState();
  }

  #handle(message, base_s) {
    const base = Math.round(base_s / this.probs.step_s);
    if (message.type === "partial") this.text.showPartial(message, base_s);
    else if (message.type === "frames") this.probs.put(base + message.first_frame, message.probs);
    else if (message.type === "final") {
      this.text.showFinal(message, base_s);
      this.probs.put(base + message.probs.first_frame, message.probs.probs);
      byId("live-copy").hidden = this.text.text === "";
    }
  }

  /** Update the status line if it has changed. */
  #updateState() {
    const place = byId("live-state");
    const text = describe(this.stream);
    if (document.body.dataset.livePhase === "on" && place.textContent !== text) place.textContent = text;
  }

  /**
   * Stop, and transcribe the whole recording.
   * @param {Problem} [problem] why, unless the user stopped it.
   * @param {number} [until_s]
   */
  async #stop(problem, until_s) {
    if (document.body.dataset.livePhase !== "on") return;
    this.stream.finish();
    this.stage.halt();
    this.blob = this.recorder.toWav(until_s);
    this.name = recordingName();
    this.#transcribe();
    if (problem) showProblem(this.problems, problem);
    await this.recorder.close();
  }

  #transcribe() {
    this.#show("sent");
    this.session.open(this.blob, this.name);
  }

  /** The transcription has finished and is shown instead, or has failed. */
  #settle() {
    if (!this.blob) return;
    if (this.store.state.recording?.blob === this.blob) this.#clear();
    else this.#show("kept");
  }

  async #discard() {
    const { recorder } = this;
    this.#clear();
    clearProblem(this.problems);
    await recorder.close();
  }

  #clear() {
    this.stream?.close();
    this.recorder = this.blob = null;
    this.stage.clear();
    this.#show("");
  }

  /** @param {"asking" | "on" | "sent" | "kept" | ""} phase */
  #show(phase) {
    document.body.dataset.livePhase = phase;
    byId("live").hidden = phase === "";
    byId("live-stop").hidden = phase !== "on";
    byId("live-discard").hidden = phase === "sent";
    byId("live-again").hidden = byId("live-save").hidden = phase !== "kept";
    byId("live-state").textContent = STATES[phase] ?? "";
  }
}

/** The state of a stream in words. @param {LiveStream} stream */
function describe({ connected, problem, wait_s, step_s, late_s }) {
  if (problem) {
    const then = wait_s === null ? "" : " Trying again.";
    return `${problem.title}: ${problem.message.replace(/[.]?$/, ".")}${then} The recording goes on, and all of it is transcribed when you stop.`;
  }
  if (!connected) return "Connecting …";
  if (late_s > LATE_S)
    return `The service is busy: words come more than ${Math.floor(late_s / LATE_S) * LATE_S} s late. None of them is lost.`;
  return step_s > SLOW_STEP_S ? `The service is busy: words come every ${step_s.toFixed(1)} s.` : "Listening";
}

/** @param {string} reason the service's */
function endedProblem(reason) {
  const detail = `${reason ? `${reason[0].toUpperCase()}${reason.slice(1)}. ` : ""}What was said until then is kept.`;
  return new Problem({ title: "The service has ended the live stream", detail });
}

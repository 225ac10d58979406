/** How a recording comes in: dropped, chosen, the example, or from the microphone. */

import { byId } from "./dom.js";
import { clock } from "./format.js";
import { showProblem, Problem } from "./problems.js";
import { Recorder, goneProblem, recordingName } from "./recorder.js";
import { save } from "./save.js";

/** What the recording's panel says in a phase. */
const WORDS = {
  asking: ["Waiting for the microphone", "The browser asks whether this page may use it."],
  on: ["Recording", "Speak normally. Nothing is sent before you stop."],
  kept: ["Not transcribed", "The recording is kept here until you discard it or leave the page."],
};

export class Intake {
  /**
   * @param {object} parts
   * @param {import("./store.js").Store} parts.store
   * @param {(blob: Blob, name: string, text?: string) => void} parts.onFile text: what is said in it, if that is known.
   * @param {() => boolean} parts.isBusy whether something else is recorded.
   * @param {HTMLElement} parts.problems where errors go.
   */
  constructor({ store, onFile, isBusy, problems }) {
    Object.assign(this, { store, onFile, isBusy, problems });
    /** @type {Recorder | null} */
    this.recorder = null;
    /** What was recorded, until it has been transcribed. @type {{blob: Blob, name: string} | null} */
    this.kept = null;
    const input = /** @type {HTMLInputElement} */ (byId("file"));
    input.addEventListener("change", () => {
      if (input.files[0]) onFile(input.files[0], input.files[0].name);
      input.value = ""; // the same file may be chosen again
    });
    for (const button of document.querySelectorAll("[data-choose]"))
      button.addEventListener("click", () => input.click());
    for (const button of document.querySelectorAll("[data-example]"))
      button.addEventListener("click", () => this.#example());
    for (const button of document.querySelectorAll("[data-record]"))
      button.addEventListener("click", () => this.#record());
    const click = (id, action) => byId(id).addEventListener("click", action);
    click("stop-recording", () => this.#stop());
    click("transcribe-recording", () => this.#transcribe());
    click("save-recording", () => save(this.kept.blob, this.kept.name));
    click("cancel-recording", () => this.#discard());
    store.on(["phase"], ({ phase }) => phase !== "working" && queueMicrotask(() => this.#settle()));
    this.#acceptDrops();
  }

  /** Whether something is recorded, or was and is kept. */
  get busy() {
    return this.recorder !== null || this.kept !== null;
  }

  #acceptDrops() {
    let inside = 0;
    const mark = (by) => {
      inside = by === 0 ? 0 : inside + by;
      document.body.classList.toggle("dropping", inside > 0);
    };
    addEventListener("dragenter", () => mark(1));
    addEventListener("dragleave", () => mark(-1));
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      mark(0);
      const [file] = event.dataTransfer.files;
      if (file) this.#takeDropped(file);
    });
  }

  #takeDropped(file) {
    if (!this.busy && !this.isBusy()) return this.onFile(file, file.name);
    const detail = "Transcribe or discard the recording, then drop the file again.";
    showProblem(this.problems, new Problem({ title: "There is a recording already", detail }));
  }

  async #example() {
    const { sample, sampleText } = document.body.dataset;
    try {
      const answer = await fetch(sample);
      if (!answer.ok) throw Problem.of(answer.status, await answer.text(), null);
      this.onFile(await answer.blob(), sample.split("/").pop(), sampleText);
    } catch (error) {
      showProblem(this.problems, error instanceof Problem ? error : Problem.unreachable());
    }
  }

  async #record() {
    if (this.busy || this.isBusy()) return;
    const recorder = new Recorder({
      onBlock: (pcm) => {
        byId("level").style.setProperty("--level", String(Math.sqrt(peakOf(pcm))));
        byId("elapsed").textContent = clock(recorder.duration_s, 1);
      },
      onGone: () => this.#stop().then(() => showProblem(this.problems, goneProblem())),
    });
    this.recorder = recorder;
    byId("elapsed").textContent = clock(0, 1);
    this.#show("asking");
    try {
      if (!(await recorder.start())) return;
      this.#show("on");
      byId("stop-recording").focus();
    } catch (problem) {
      this.recorder = null;
      this.#show("");
      showProblem(this.problems, problem);
    }
  }

  async #stop() {
    const { recorder } = this;
    this.kept = { blob: recorder.toWav(), name: recordingName() };
    this.recorder = null;
    this.#transcribe();
    await recorder.close();
  }

  #transcribe() {
    this.#show("");
    this.onFile(this.kept.blob, this.kept.name);
  }

  /** The transcription is shown, or has failed. */
  #settle() {
    if (!this.kept) return;
    const isShown = this.store.state.recording?.blob === this.kept.blob;
    if (isShown) this.kept = null;
    this.#show(isShown ? "" : "kept");
  }

  async #discard() {
    const { recorder } = this;
    this.recorder = this.kept = null;
    this.#show("");
    await recorder?.close();
  }

  /** @param {"asking" | "on" | "kept" | ""} phase */
  #show(phase) {
    const panel = byId("recording");
    panel.hidden = phase === "";
    panel.dataset.phase = phase;
    document.body.classList.toggle("is-recording", phase !== "");
    [byId("recording-state").textContent, byId("recording-note").textContent] = WORDS[phase] ?? ["", ""];
  }
}

/** The greatest amplitude, 0 to 1. @param {Int16Array} pcm */
function peakOf(pcm) {
  return pcm.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0) / 32768;
}

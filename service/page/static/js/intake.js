/** How a recording comes in: dropped, chosen, the example, or from the microphone. */

import { byId } from "./dom.js";
import { clock } from "./format.js";
import { showProblem, Problem } from "./problems.js";
import { Recorder, goneProblem, recordingName } from "./recorder.js";

export class Intake {
  /**
   * @param {object} parts
   * @param {(blob: Blob, name: string, text?: string) => void} parts.onFile text: what is said in it, if that is known.
   * @param {() => boolean} parts.isBusy whether something else is recorded.
   * @param {HTMLElement} parts.problems where errors go.
   */
  constructor({ onFile, isBusy, problems }) {
    Object.assign(this, { onFile, isBusy, problems });
    /** @type {Recorder | null} */
    this.recorder = null;
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
    byId("stop-recording").addEventListener("click", () => this.#stop());
    byId("cancel-recording").addEventListener("click", () => this.#cancel());
    this.#acceptDrops();
  }

  /** Whether something is recorded. */
  get busy() {
    return this.recorder !== null;
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
    const detail = "Stop or discard the recording, then drop the file again.";
    showProblem(this.problems, new Problem({ title: "Something is being recorded", detail }));
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
    if (this.recorder || this.isBusy()) return;
    const recorder = new Recorder({
      onBlock: (pcm) => {
        byId("level").style.setProperty("--level", String(Math.sqrt(peakOf(pcm))));
        byId("elapsed").textContent = clock(recorder.duration_s, 1);
      },
      onGone: () => this.#stop().then(() => showProblem(this.problems, goneProblem())),
    });
    this.recorder = recorder;
    try {
      await recorder.start();
      this.#showRecording(true);
      byId("stop-recording").focus();
    } catch (problem) {
      this.recorder = null;
      showProblem(this.problems, problem);
    }
  }

  async #stop() {
    const { recorder } = this;
    this.#showRecording(false);
    this.recorder = null;
    await recorder.close();
    this.onFile(recorder.toWav(), recordingName());
  }

  async #cancel() {
    const { recorder } = this;
    this.#showRecording(false);
    this.recorder = null;
    await recorder.close();
  }

  #showRecording(shown) {
    byId("recording").hidden = !shown;
    document.body.classList.toggle("is-recording", shown);
    byId("elapsed").textContent = clock(0, 1);
  }
}

/** The greatest amplitude, 0 to 1. @param {Int16Array} pcm */
function peakOf(pcm) {
  return pcm.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0) / 32768;
}

/** How a recording comes in: dropped, chosen, the example, or from the microphone. */

import { byId } from "./dom.js";
import { clock } from "./format.js";
import { showProblem, Problem } from "./problems.js";
import { Recorder } from "./recorder.js";

export class Intake {
  /**
   * @param {(blob: Blob, name: string, text?: string) => void} onFile text: what is said in it, if that is known.
   * @param {HTMLElement} problems where errors go.
   */
  constructor(onFile, problems) {
    this.onFile = onFile;
    this.problems = problems;
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
      if (file) this.onFile(file, file.name);
    });
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
    const why = Recorder.unavailable();
    if (why || this.recorder) {
      if (why) showProblem(this.problems, new Problem({ title: "There is no microphone here", detail: why }));
      return;
    }
    const recorder = new Recorder((level, elapsed_s) => {
      byId("level").style.setProperty("--level", String(Math.sqrt(level)));
      byId("elapsed").textContent = clock(elapsed_s, 1);
    });
    this.recorder = recorder;
    try {
      await recorder.start();
      this.#showRecording(true);
      byId("stop-recording").focus();
    } catch (error) {
      this.recorder = null;
      await recorder.cancel();
      showProblem(
        this.problems,
        new Problem({ title: "The microphone can't be used", detail: reasonOf(error) }),
      );
    }
  }

  async #stop() {
    const { recorder } = this;
    this.#showRecording(false);
    this.recorder = null;
    if (recorder) this.onFile(await recorder.stop(), `recording-${stamp()}.wav`);
  }

  async #cancel() {
    await this.recorder?.cancel();
    this.recorder = null;
    this.#showRecording(false);
  }

  #showRecording(shown) {
    byId("recording").hidden = !shown;
    document.body.classList.toggle("is-recording", shown);
    byId("elapsed").textContent = clock(0, 1);
  }
}

function reasonOf(error) {
  if (error?.name === "NotAllowedError")
    return "The browser does not let this page use it. Allow it next to the address, and try again.";
  if (error?.name === "NotFoundError") return "No microphone is connected.";
  return String(error?.message ?? error);
}

/** The time of day, for a file's name. */
function stamp() {
  return new Date().toTimeString().slice(0, 8).replaceAll(":", "-");
}

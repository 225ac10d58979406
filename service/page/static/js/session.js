/** One recording after the other: sent, heard, looked at, forgotten. */

import { byId } from "./dom.js";
import { clock, percent } from "./format.js";
import { keyOf } from "./kept-corrections.js";
import { openMatrices } from "./matrices.js";
import { Problem, clearProblem, showProblem } from "./problems.js";
import { decode } from "./sound.js";
import { firstView } from "./viewport.js";

export class Session {
  /** @param {Record<string, any>} parts the page's. */
  constructor({ store, stage, api, player, readings, corrections, problems, nBest }) {
    Object.assign(this, { store, stage, api, player, readings, corrections, problems, nBest });
    /** @type {AbortController | null} */
    this.abort = null;
    store.on(["phase"], ({ phase }) => (document.body.dataset.phase = phase));
  }

  /** Ask what is listening; this is also where a service with keys asks for one. */
  async greet() {
    await this.#orAgain(() => this.#useModel());
  }

  /** Know a model: the service may not have been there when the page was loaded. @throws {Problem} */
  async requireModel() {
    if (!this.store.state.model) await this.#useModel();
  }

  /** Have another model transcribe from now on, and the recording that is shown. @param {string} name */
  async changeModel(name) {
    await this.#orAgain(async () => {
      await this.#useModel(name);
      const { recording } = this.store.state;
      if (recording) await this.open(recording.blob, recording.name, recording.text);
    });
  }

  /** Do it, or say why it can't be done, and offer to try again. @param {() => Promise<void>} action */
  async #orAgain(action) {
    try {
      await action();
    } catch (error) {
      showProblem(this.problems, error, () => {
        clearProblem(this.problems);
        this.#orAgain(action);
      });
    }
  }

  /** @param {string} [name] the service's first without one. */
  async #useModel(name) {
    const model = await this.api.json("model", { model: name });
    this.store.set({ model });
    byId("frame-ms").textContent = String(Math.round(model.frame_s * 1000));
    const rate =
      model.dev_cer === null ? "" : `, ${percent(model.dev_cer)} of characters wrong on its dev sets`;
    byId("model").textContent =
      `Model “${model.name}”: ${(model.parameters / 1e6).toFixed(1)} million weights, ${model.training_hours.toFixed(0)} hours of speech${rate}.`;
  }

  /**
   * Have a recording heard, and show all there is about it.
   * @param {Blob} blob
   * @param {string} name
   * @param {string} [text] what is said in it, if that is known.
   */
  async open(blob, name, text) {
    this.abort?.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    clearProblem(this.problems);
    this.player.pause();
    this.store.set({ phase: "working" });
    byId("working-name").textContent = name;
    const began = performance.now();
    const clockwork = setInterval(
      () => (byId("working-time").textContent = clock((performance.now() - began) / 1000, 0)),
      200,
    );
    try {
      await this.requireModel();
      const sound = decode(blob);
      const answer = await this.#transcribe(blob, name, signal);
      await this.#show(blob, name, text, answer, sound, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.store.set({ phase: this.store.state.recording ? "ready" : "empty" });
      showProblem(
        this.problems,
        error,
        [413, 415, 422].includes(error.status) ? null : () => this.open(blob, name, text),
      );
    } finally {
      clearInterval(clockwork);
    }
  }

  /** Stop waiting; the service notices, and stops working. */
  giveUp() {
    this.abort?.abort();
    this.store.set({ phase: this.store.state.recording ? "ready" : "empty" });
  }

  /** Have the service delete what it keeps, delete what the browser keeps, and start again. */
  async forget() {
    const { recording, matrices } = this.store.state;
    try {
      await this.api.fetch(this.api.address(`transcriptions/${recording.id}`), { method: "DELETE" });
    } catch (error) {
      if (error.status !== 410 && error.status !== 404) {
        showProblem(this.problems, error, () => this.forget());
        return;
      }
    }
    this.corrections.forget(recording);
    matrices?.probs.close();
    matrices?.vectors.close();
    this.player.load(null);
    this.store.set({
      phase: "empty",
      recording: null,
      matrices: null,
      reading: null,
      baseline: null,
      alignment: null,
      sound: undefined,
    });
  }

  async #transcribe(blob, name, signal) {
    const form = new FormData();
    form.set("file", blob, name);
    form.set("timestamps", "char");
    form.set("decoder", "beam"); // the only one that knows of other texts
    form.set("n_best", String(this.nBest));
    form.set("model", this.store.state.model.name);
    const bar = byId("progress");
    byId("working-what").textContent = "Sending";
    return this.api.upload("transcribe", form, {
      signal,
      onSent: (share) => {
        if (share < 1) bar.setAttribute("value", String(share));
        else bar.removeAttribute("value"); // how long the model takes is not known beforehand
        byId("working-what").textContent = share < 1 ? `Sending, ${percent(share)}` : "Recognising";
      },
    });
  }

  async #show(blob, name, text, answer, sound, signal) {
    const { store } = this;
    if (!answer.id) throw notKept(answer);
    const { id, model, duration_s } = answer;
    const recording = { name, blob, text, id, model: model.name, key: keyOf(answer), duration_s };
    const matrices = await openMatrices(this.api, recording, store.state.model, {
      onChange: () => this.#redraw(),
      onError: (error) => showProblem(this.problems, error, () => this.#fetchAgain()),
    });
    if (signal.aborted) return;
    store.state.matrices?.probs.close();
    store.state.matrices?.vectors.close();
    store.set({ phase: "ready" }); // only what is shown has a width
    const view = firstView(recording.duration_s, matrices.probs.step_s, this.stage.measure());
    const [first] = answer.words;
    const cursor_s = first ? (first.start_s + first.end_s) / 2 : 0;
    store.set({ recording, view, matrices: null, sound: undefined, cursor_s });
    store.set({ matrices });
    this.player.load(null);
    this.readings.begin(answer);
    byId("warnings").textContent = answer.warnings.join("; ");
    byId("transcript-title").focus({ preventScroll: true });
    const decoded = await sound;
    if (signal.aborted || store.state.recording !== recording) return;
    this.player.load(decoded?.buffer ?? null);
    store.set({ sound: decoded });
  }

  #redraw() {
    this.store.set({ arrived: this.store.state.arrived + 1 });
  }

  #fetchAgain() {
    clearProblem(this.problems);
    const { matrices } = this.store.state;
    matrices.probs.retry();
    matrices.vectors.retry();
    this.#redraw();
  }
}

/** The service heard a recording, but could not keep what the pictures are drawn from. */
function notKept({ text, warnings }) {
  return new Problem({
    title: "The result was not kept, so there are no pictures",
    detail: `“${text}”. ${warnings.join("; ")}`,
  });
}

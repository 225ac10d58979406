/** From sound to text, step by step, by what is seen of this very recording. */

import { prepare } from "./canvas.js";
import { palette } from "./colours.js";
import { argmax, runsOf } from "./ctc.js";
import { byId, el, fill, spoken, visible } from "./dom.js";
import { counted, percent } from "./format.js";
import { hasMelBins } from "./lanes/features.js";
import { RATE_HZ } from "./sound.js";

const MOST_CELLS = 160;
const SLICE_PX = 84;
const NUMBERS_SHOWN = 5;

/** What the three steps of reading leave of a path, in words. */
const STEPS = {
  path: "One symbol a frame: the likeliest. The blank (–) says “nothing new”.",
  merged:
    "Neighbours that are alike become one: a letter that lasts for three frames is one letter. Two of the same letter in a text need a blank between.",
  text: "Blanks are dropped. What is left is the text.",
};

export class Pipeline {
  /**
   * @param {import("./store.js").Store} store
   * @param {{goTo: (time_s: number) => void}} gestures
   */
  constructor(store, gestures) {
    this.store = store;
    this.gestures = gestures;
    this.step = "path";
    /** @type {Set<string>} what changed since it was shown. */
    this.stale = new Set();
    for (const radio of document.querySelectorAll('input[name="collapse"]')) {
      radio.addEventListener("change", () => {
        this.step = /** @type {HTMLInputElement} */ (radio).value;
        this.#showPath();
      });
    }
    const cells = byId("cells");
    cells.addEventListener("pointerover", (event) => this.#point(event));
    cells.addEventListener("click", (event) => this.#point(event));
    store.on(["recording", "reading", "matrices"], () => this.#showCounts());
    store.on(["view", "matrices", "arrived", "theme", "tab"], () => this.#soon("path"));
    store.on(["cursor_s", "sound", "arrived", "theme", "tab"], () => this.#soon("frame"));
  }

  /** Show a part at the screen's next frame. @param {"path" | "frame"} part */
  #soon(part) {
    if (this.store.state.tab !== "pipeline") return;
    if (this.stale.size === 0) requestAnimationFrame(() => this.#show());
    this.stale.add(part);
  }

  #show() {
    const stale = new Set(this.stale);
    this.stale.clear();
    if (!this.store.state.matrices) return;
    if (stale.has("path")) this.#showPath();
    if (!stale.has("frame")) return;
    this.#showSlice();
    this.#showVector();
    this.#showBelief();
  }

  /** T, T', N: of the whole recording. */
  #showCounts() {
    const { recording, matrices, reading, model } = this.store.state;
    if (!matrices || !reading) return;
    const { features, alphabet, frame_stride: stride } = model.spec;
    const { rows: vectors } = matrices.vectors;
    const bins = hasMelBins(features) ? features.n_mels : features.n_mfcc;
    const put = (id, text) => (byId(id).textContent = text);
    put("count-samples", counted(recording.duration_s * features.sample_rate_hz));
    put("count-rate", counted(features.sample_rate_hz));
    put("count-window", `${features.window_ms} ms`);
    put("count-hop", `${features.hop_ms} ms`);
    put("count-vectors", counted(vectors));
    put("count-bins", String(bins));
    put("count-frames", counted(matrices.probs.rows));
    put("count-stride", String(stride));
    put("count-frame-ms", `${Math.round(matrices.probs.step_s * 1000)} ms`);
    put("count-symbols", String(alphabet.symbols.length + 1));
    put("count-letters", counted(reading.text.length));
    put(
      "count-text",
      reading.text.length > 90 ? `${reading.text.slice(0, 90)} …` : reading.text || "(nothing)",
    );
  }

  /** The samples that the cursor's vector is computed from. */
  #showSlice() {
    const { sound, cursor_s, model } = this.store.state;
    const canvas = /** @type {HTMLCanvasElement} */ (byId("slice"));
    const context = prepare(canvas, canvas.parentElement.clientWidth, SLICE_PX);
    if (!sound) return;
    const colours = palette();
    const width = canvas.clientWidth;
    const span_s = (model.spec.features.window_ms / 1000) * 2;
    const first = Math.round((cursor_s - span_s / 2) * RATE_HZ);
    const count = Math.round(span_s * RATE_HZ);
    const seen = Array.from({ length: count }, (_, place) => sound.samples[first + place] ?? 0);
    const peak = Math.max(0.005, ...seen.map(Math.abs));
    context.fillStyle = colours.line;
    context.fillRect(width / 4, 0, width / 2, SLICE_PX);
    context.fillStyle = colours.wave;
    seen.forEach((sample, place) => {
      const [x, height] = [(place / count) * width, (sample / peak) * (SLICE_PX / 2 - 4)];
      context.fillRect(
        x,
        SLICE_PX / 2 - Math.max(height, 0),
        Math.max(width / count - 0.3, 0.6),
        Math.max(Math.abs(height), 1),
      );
    });
  }

  /** The cursor's vector as numbers, as many as fit. */
  #showVector() {
    const { vectors } = this.store.state.matrices;
    const row = vectors.rowAt(this.store.state.cursor_s);
    const values = vectors.row(row);
    if (!values) return;
    const number = (value) => value.toFixed(2).replace("-", "−");
    const shown = [...values.subarray(0, NUMBERS_SHOWN)].map(number).join(", ");
    byId("vector-numbers").textContent =
      `x${subscript(row)} = (${shown}, …, ${number(values[values.length - 1])})`;
  }

  #showBelief() {
    const { probs, symbols } = this.store.state.matrices;
    const frame = probs.rowAt(this.store.state.cursor_s);
    const values = probs.row(frame);
    if (!values) return;
    const best = argmax(values);
    byId("belief").textContent =
      `At frame ${frame} the likeliest is ${best === symbols.length - 1 ? "the blank" : `“${visible(symbols[best])}”`}: P = ${percent(values[best])}.`;
  }

  /** The greedy path of the frames that are seen, as far as it has got. */
  #showPath() {
    const { matrices, view } = this.store.state;
    if (!matrices) return;
    const { probs, symbols, blank } = matrices;
    const first = probs.rowAt(view.start_s);
    const end = Math.min(probs.rowAt(view.start_s + view.span_s) + 1, first + MOST_CELLS);
    const runs = runsOf(probs.within(view.start_s, view.start_s + view.span_s), first, end);
    const colours = palette();
    const cells = runs.flatMap((run) => cellsOf(run, this.step, symbols, blank, colours));
    byId("cells").className = `cells step-${this.step}`;
    fill(byId("cells"), ...cells);
    byId("step-about").textContent = STEPS[this.step];
    const counts = {
      path: end - first,
      merged: runs.length,
      text: runs.filter((run) => run.symbol !== blank).length,
    };
    const what = { path: "frames", merged: "runs", text: "characters" }[this.step];
    byId("step-count").textContent =
      `${counts[this.step]} ${what}, from ${(first * probs.step_s).toFixed(2)} to ${(end * probs.step_s).toFixed(2)} s${end - first === MOST_CELLS ? "; zoom in or scroll above to choose others" : ""}`;
  }

  #point(event) {
    const cell = event.target.closest(".cell");
    if (cell) this.gestures.goTo(Number(cell.dataset.frame) * this.store.state.matrices.probs.step_s);
  }
}

/** A run as one cell, or one for each of its frames. */
function cellsOf(run, step, symbols, blank, colours) {
  const isBlank = run.symbol === blank;
  if (step === "text" && isBlank) return [];
  const count = step === "path" ? run.end - run.start : 1;
  const symbol = symbols[run.symbol];
  return Array.from({ length: count }, (_, place) =>
    el("span", {
      class: `cell${isBlank ? " cell-blank" : ""}${place > 0 ? " cell-again" : ""}`,
      text: visible(symbol),
      title: `${spoken(symbol)}, ${count > 1 || step === "path" ? `frame ${run.start + place}` : `frames ${run.start} to ${run.end - 1}`}`,
      "data-frame": String(run.start + place),
      style: isBlank ? {} : { "--colour": colours.symbol(run.symbol) },
    }),
  );
}

/** 31 -> ₃₁ */
function subscript(number) {
  return [...String(number)].map((digit) => String.fromCharCode(0x2080 + Number(digit))).join("");
}

/** One frame looked at closely: its time, what the model read there, and what it believed. */

import { FONT, prepare, write } from "./canvas.js";
import { argmax, top } from "./ctc.js";
import { byId, el, fill, spoken, visible } from "./dom.js";
import { percent } from "./format.js";
import { centreOf, hasMelBins, scaleOf } from "./lanes/features.js";
import { palette } from "./colours.js";

const SHOWN = 6;
const PLOT_PX = 96;

export class Inspector {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    this.canvas = /** @type {HTMLCanvasElement} */ (byId("vector"));
    this.waiting = false;
    store.on(["cursor_s", "matrices", "theme", "arrived"], () => this.#soon());
    new ResizeObserver(() => this.#soon()).observe(byId("inspector"));
  }

  #soon() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.#show();
    });
  }

  #show() {
    const { matrices, cursor_s } = this.store.state;
    if (!matrices) return;
    const frame = matrices.probs.rowAt(cursor_s);
    const vector = matrices.vectors.rowAt(cursor_s);
    const probs = matrices.probs.row(frame);
    byId("frame-time").textContent = `${cursor_s.toFixed(3)} s`;
    byId("frame-number").textContent = `frame t = ${frame} of ${matrices.probs.rows}`;
    byId("vector-number").textContent = `vector ${vector} of ${matrices.vectors.rows}`;
    this.#showSymbols(probs, matrices);
    this.#showVector(matrices.vectors.row(vector));
    this.#say(frame, probs, matrices);
  }

  /** The likeliest symbols as bars. */
  #showSymbols(probs, { symbols, blank }) {
    if (!probs) return fill(byId("symbols"));
    const rows = top(probs, SHOWN).map((symbol) =>
      el(
        "li",
        {
          class: symbol === blank ? "symbol is-blank" : "symbol",
          style: { "--share": String(probs[symbol]), "--colour": palette().symbol(symbol) },
        },
        el("span", { class: "symbol-name", text: symbol === blank ? "blank" : visible(symbols[symbol]) }),
        el("span", { class: "symbol-bar" }),
        el("span", { class: "symbol-prob", text: percent(probs[symbol]) }),
      ),
    );
    fill(byId("symbols"), ...rows);
    byId("entropy").textContent =
      `entropy ${entropy(probs).toFixed(2)} nats, at most ${Math.log(symbols.length).toFixed(2)}`;
  }

  /** The feature vector as bars up and down from 0. */
  #showVector(values) {
    const width_px = this.canvas.parentElement.clientWidth;
    if (width_px === 0) return;
    const colours = palette();
    const context = prepare(this.canvas, width_px, PLOT_PX);
    if (!values) return;
    const spec = this.store.state.model.spec.features;
    const { low, high, marks } = scaleOf(spec);
    const [left, bottom] = [20, PLOT_PX - 16];
    const y = (value) =>
      bottom - ((Math.min(Math.max(value, low), high) - low) / (high - low)) * (bottom - 4);
    const step = (width_px - left) / values.length;
    const pixels = new Uint8ClampedArray(colours.energy.buffer);
    values.forEach((value, bin) => {
      const at = 4 * Math.round(255 * Math.min(Math.max((value - low) / (high - low), 0), 1));
      context.fillStyle = `rgb(${pixels[at]} ${pixels[at + 1]} ${pixels[at + 2]})`;
      const [above, below] = [Math.min(y(value), y(0)), Math.max(y(value), y(0))];
      context.fillRect(left + bin * step, above, Math.max(step - 0.6, 0.6), Math.max(below - above, 1));
    });
    context.fillStyle = colours.muted;
    context.fillRect(left, y(0), width_px - left, 1);
    for (const mark of marks)
      write(context, String(mark).replace("-", "−"), left - 5, y(mark), {
        colour: colours.muted,
        align: "right",
        font: `10px ${FONT}`,
      });
    this.#writeAxis(context, spec, values.length, left, step, colours);
  }

  #writeAxis(context, spec, bins, left, step, colours) {
    const look = {
      colour: colours.muted,
      align: /** @type {CanvasTextAlign} */ ("center"),
      font: `10px ${FONT}`,
    };
    for (const share of [0.12, 0.4, 0.68, 0.94]) {
      const bin = Math.round(share * (bins - 1));
      const text = hasMelBins(spec) ? `${(centreOf(bin, spec) / 1000).toFixed(1)}` : String(bin);
      write(
        context,
        share > 0.9 && hasMelBins(spec) ? `${text} kHz` : text,
        Math.min(left + (bin + 0.5) * step, left + bins * step - 18),
        PLOT_PX - 7,
        look,
      );
    }
  }

  /** What the slider is read as. */
  #say(frame, probs, { symbols }) {
    const slider = byId("lanes");
    const { cursor_s, recording } = this.store.state;
    slider.setAttribute("aria-valuemax", recording.duration_s.toFixed(2));
    slider.setAttribute("aria-valuenow", cursor_s.toFixed(2));
    const best = probs && argmax(probs);
    const belief = probs
      ? `${spoken(symbols[best])}, ${Math.round(probs[best] * 100)} percent`
      : "not fetched yet";
    slider.setAttribute("aria-valuetext", `${cursor_s.toFixed(2)} seconds, frame ${frame}: ${belief}`);
  }
}

/** @param {Float32Array} probs @returns {number} in nats. */
function entropy(probs) {
  return -probs.reduce((sum, prob) => sum + (prob > 0 ? prob * Math.log(prob) : 0), 0);
}

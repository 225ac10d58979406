/** The lanes under each other on one time axis, drawn when something that they show has changed. */

import { prepare } from "./canvas.js";
import { palette } from "./colours.js";
import { byId, el, fill } from "./dom.js";
import { clock } from "./format.js";
import { characters, words } from "./lanes/spans.js";
import { features } from "./lanes/features.js";
import { overview } from "./lanes/overview.js";
import { posteriorgram } from "./lanes/posteriorgram.js";
import { ruler, waveform } from "./lanes/waveform.js";
import { spikes } from "./lanes/spikes.js";
import { plotOf, toX } from "./viewport.js";

const SHOWN_IN = [
  "view",
  "sound",
  "reading",
  "tokens",
  "alignment",
  "mode",
  "matrices",
  "scale",
  "theme",
  "recording",
  "arrived",
];

/** So long may pictures be painted before the screen wants its next frame; one at least is. */
const PAINTING_MS = 8;

export class Stage {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    this.place = byId("lanes");
    this.cursor = byId("cursor-line");
    this.head = byId("play-head");
    this.overview = { lane: overview, canvas: /** @type {HTMLCanvasElement} */ (byId("overview")) };
    /** @type {{lane: import("./lanes/scene.js").Lane, canvas: HTMLCanvasElement}[]} */
    this.lanes = [];
    this.width_px = 0;
    this.waiting = false;
    this.palette = palette();
    this.budget = { left_ms: 0, exceeded: false };
    new ResizeObserver(() => this.#resized()).observe(this.place);
    store.on(["theme"], () => (this.palette = palette()));
    store.on(["matrices"], () => this.#build());
    store.on(SHOWN_IN, () => this.invalidate());
    store.on(["cursor_s", "play", "view"], () => this.#moveLines());
    store.on(["cursor_s"], () => this.#drawOnly("characters", "words"));
    store.on(["play"], () => this.#drawOverview());
  }

  /** Where the lanes draw. */
  get plot() {
    return plotOf(this.width_px);
  }

  /** Look how wide the page has made it. */
  measure() {
    this.width_px = this.place.clientWidth;
    return this.plot;
  }

  /** Draw everything at the screen's next frame. */
  invalidate() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.budget = { left_ms: PAINTING_MS, exceeded: false };
      for (const each of this.lanes) this.#draw(each);
      if (this.budget.exceeded) this.invalidate();
      this.#drawOverview();
      this.#moveLines();
    });
  }

  #build() {
    const { matrices } = this.store.state;
    if (!matrices) return;
    const order = [
      ruler,
      waveform,
      features,
      spikes,
      posteriorgram(matrices.symbols.length),
      characters,
      words,
    ];
    this.lanes = order.map((lane) => {
      const canvas = /** @type {HTMLCanvasElement} */ (el("canvas", { class: `lane lane-${lane.name}` }));
      canvas.setAttribute("aria-hidden", "true"); // the slider around them says in words what they show
      return { lane, canvas };
    });
    fill(byId("canvases"), ...this.lanes.map(({ canvas }) => canvas));
  }

  #resized() {
    if (this.place.clientWidth === this.width_px) return;
    this.width_px = this.place.clientWidth;
    this.invalidate();
  }

  #draw({ lane, canvas }) {
    const { state } = this.store;
    if (!state.matrices || !state.recording || this.width_px === 0) return;
    const context = prepare(canvas, this.width_px, lane.height_px);
    lane.draw(context, {
      state,
      view: state.view,
      plot: this.plot,
      width_px: this.width_px,
      height_px: lane.height_px,
      palette: this.palette,
      budget: this.budget,
    });
  }

  #drawOnly(...names) {
    if (this.waiting) return;
    for (const each of this.lanes) if (names.includes(each.lane.name)) this.#draw(each);
  }

  #drawOverview() {
    this.#draw(this.overview);
  }

  #moveLines() {
    const { state } = this.store;
    if (!state.recording) return;
    const [from_s, to_s] = [state.view.start_s, state.view.start_s + state.view.span_s];
    byId("range").textContent = `${clock(from_s)} – ${clock(to_s)}`;
    for (const [line, time_s] of [
      [this.cursor, state.cursor_s],
      [this.head, state.play.at_s],
    ]) {
      const x = toX(state.view, this.plot, time_s);
      line.hidden = x < this.plot.left_px - 0.5 || x > this.plot.left_px + this.plot.width_px + 0.5;
      line.style.setProperty("transform", `translateX(${x}px)`);
    }
  }
}

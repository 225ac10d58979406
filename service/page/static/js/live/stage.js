/** Waveform, words and posteriors on one time axis that scrolls while the user speaks. */

import { palette } from "../colours.js";
import { byId, fill } from "../dom.js";
import { posteriorgram } from "../lanes/posteriorgram.js";
import { words } from "../lanes/spans.js";
import { ruler } from "../lanes/waveform.js";
import { firstView, following, plotOf } from "../viewport.js";
import { ScrollingLane } from "./scrolling-lane.js";
import { liveWaveformLane } from "./waveform.js";

/** Length of the view on the narrowest screen. */
const LEAST_SPAN_S = 4;
/** Position of the present in the view. */
const PRESENT = 0.985;
/** Share of the distance to the present that is made up in each animation frame. */
const PULL = 0.06;
/** A larger distance is made up at once: the page was hidden. */
const JUMP_S = 3;
/** Largest part of the view without posteriors. */
const MOST_LATE = 0.6;

/**
 * @typedef {object} Source
 * @property {import("./posteriors.js").LivePosteriors} probs
 * @property {import("./waveform.js").LiveWaveform} waveform
 * @property {string[]} symbols
 * @property {() => any[]} tokens a new array whenever they change.
 * @property {() => number} duration_s recorded so far.
 * @property {() => number} recognized_s recognized so far.
 */

export class LiveStage {
  /** @param {import("../store.js").Store} store */
  constructor(store) {
    this.store = store;
    this.place = byId("live-lanes");
    this.still = matchMedia("(prefers-reduced-motion: reduce)");
    /** @type {Source | null} */
    this.source = null;
    this.waiting = 0;
    new ResizeObserver(() => this.#redraw()).observe(this.place);
    store.on(["theme", "scale"], () => this.#redraw());
  }

  /** @param {Source} source */
  begin(source) {
    Object.assign(this, { source, palette: palette(), present_s: 0, moved_ms: performance.now() });
    const { waveform, probs, symbols, tokens } = source;
    this.lanes = [
      new ScrollingLane(ruler, () => null),
      new ScrollingLane(liveWaveformLane, () => waveform.samples),
      new ScrollingLane(words, tokens),
      new ScrollingLane(posteriorgram(symbols.length), () => probs.version),
    ];
    fill(this.place, ...this.lanes.map(({ element }) => element));
    this.view = { start_s: 0, span_s: LEAST_SPAN_S };
    this.#animate();
  }

  /** Stop scrolling. */
  halt() {
    cancelAnimationFrame(this.waiting);
  }

  /** Remove everything. */
  clear() {
    this.halt();
    this.source = null;
    fill(this.place);
  }

  #animate() {
    this.waiting = requestAnimationFrame(() => this.#animate());
    const now_ms = performance.now();
    this.#advance((now_ms - this.moved_ms) / 1000);
    this.moved_ms = now_ms;
    this.#show();
  }

  /** Move the present moment on. @param {number} since_s */
  #advance(since_s) {
    const behind_s = this.#target_s() - this.present_s - since_s;
    const pull_s = behind_s > JUMP_S ? behind_s : PULL * behind_s;
    this.present_s += Math.max(since_s + pull_s, 0);
  }

  /** The present; if recognition is far behind, a time at which its last words are still visible. */
  #target_s() {
    const { duration_s, recognized_s } = this.source;
    return Math.min(duration_s(), recognized_s() + MOST_LATE * this.view.span_s);
  }

  #redraw() {
    if (!this.source) return;
    this.palette = palette();
    for (const lane of this.lanes) lane.forget();
    this.#show();
  }

  #show() {
    const width_px = this.place.clientWidth;
    if (width_px === 0) return;
    const { probs, symbols, waveform, tokens } = this.source;
    const plot = plotOf(width_px);
    this.#move(Math.max(firstView(Infinity, probs.step_s, plot).span_s, LEAST_SPAN_S));
    const state = {
      matrices: { probs, symbols, blank: symbols.length - 1 },
      ...{ waveform, tokens: tokens(), mode: "read", scale: this.store.state.scale },
    };
    for (const lane of this.lanes) lane.show({ state, view: this.view, plot, palette: this.palette });
  }

  /** Scroll; with reduced motion, advance a page at a time. */
  #move(span_s) {
    const page = { start_s: this.view.start_s, span_s };
    this.view = this.still.matches
      ? following(page, this.present_s, Infinity)
      : { start_s: Math.max(this.present_s - PRESENT * span_s, 0), span_s };
  }
}

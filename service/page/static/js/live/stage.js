/** Sound, words and posteriors on one time axis that flows while somebody speaks. */

import { palette } from "../colours.js";
import { byId, fill } from "../dom.js";
import { posteriorgram } from "../lanes/posteriorgram.js";
import { words } from "../lanes/spans.js";
import { ruler } from "../lanes/waveform.js";
import { firstView, following, plotOf } from "../viewport.js";
import { FlowingLane } from "./flowing-lane.js";
import { pressureLane } from "./pressure.js";

/** Of the view, on the narrowest screen. */
const LEAST_SPAN_S = 4;
/** So much of the view lies behind the present moment. */
const PRESENT = 0.985;
/** How soon the axis makes up for blocks that come early or late. */
const PULL = 0.06;
/** More than this is not made up for gently: the page was hidden. */
const JUMP_S = 3;
/** So much of the view may be without posteriors. */
const MOST_LATE = 0.6;

/**
 * @typedef {object} Source
 * @property {import("./posteriors.js").LivePosteriors} probs
 * @property {import("./pressure.js").Pressure} pressure
 * @property {string[]} symbols
 * @property {() => any[]} tokens another array whenever they change.
 * @property {() => number} duration_s so much is recorded.
 * @property {() => number} heard_s so much is heard.
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
    const { pressure, probs, symbols, tokens } = source;
    this.lanes = [
      new FlowingLane(ruler, () => null),
      new FlowingLane(pressureLane, () => pressure.samples),
      new FlowingLane(words, tokens),
      new FlowingLane(posteriorgram(symbols.length), () => probs.version),
    ];
    fill(this.place, ...this.lanes.map(({ element }) => element));
    this.view = { start_s: 0, span_s: LEAST_SPAN_S };
    this.#flow();
  }

  /** Stay where it is. */
  halt() {
    cancelAnimationFrame(this.waiting);
  }

  /** Let go of all of it. */
  clear() {
    this.halt();
    this.source = null;
    fill(this.place);
  }

  #flow() {
    this.waiting = requestAnimationFrame(() => this.#flow());
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

  /** The present moment; where hearing is far behind, one from which what is heard can still be seen. */
  #target_s() {
    const { duration_s, heard_s } = this.source;
    return Math.min(duration_s(), heard_s() + MOST_LATE * this.view.span_s);
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
    const { probs, symbols, pressure, tokens } = this.source;
    const plot = plotOf(width_px);
    this.#move(Math.max(firstView(Infinity, probs.step_s, plot).span_s, LEAST_SPAN_S));
    const state = {
      matrices: { probs, symbols, blank: symbols.length - 1 },
      ...{ pressure, tokens: tokens(), mode: "read", scale: this.store.state.scale },
    };
    for (const lane of this.lanes) lane.show({ state, view: this.view, plot, palette: this.palette });
  }

  /** The axis flows; where people want no motion it turns pages. */
  #move(span_s) {
    const page = { start_s: this.view.start_s, span_s };
    this.view = this.still.matches
      ? following(page, this.present_s, Infinity)
      : { start_s: Math.max(this.present_s - PRESENT * span_s, 0), span_s };
  }
}

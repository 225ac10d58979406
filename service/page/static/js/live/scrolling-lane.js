/**
 * A scrolling lane: its canvas is wider than its visible part and is moved by a transform, which is cheap. It is redrawn
 * only if its content has changed or the view leaves the canvas.
 */

import { prepare } from "../canvas.js";
import { el } from "../dom.js";
import { toX } from "../viewport.js";

/** Additional width of the canvas, as a share of the view. */
const SLACK = 0.5;
/** The first mark is at 0, the next at least twice this away. */
const BETWEEN_MARKS_PX = 36;
const BUDGET = { left_ms: Infinity, exceeded: false };

export class ScrollingLane {
  /**
   * @param {import("../lanes/scene.js").Lane} lane
   * @param {() => unknown} stamp changes whenever the content does.
   */
  constructor(lane, stamp) {
    Object.assign(this, { lane, stamp });
    const canvas = (name) => /** @type {HTMLCanvasElement} */ (el("canvas", { class: name }));
    this.axis = canvas("scrolling-axis");
    this.picture = canvas("scrolling-picture");
    this.element = el("div", { class: `lane scrolling lane-${lane.name}` }, this.picture, this.axis);
    this.forget();
  }

  /** Redraw everything the next time, after a change of width, theme or scale. */
  forget() {
    /** @type {import("../viewport.js").View | null} of the picture. */
    this.drawn = null;
  }

  /** Show a view. @param {import("../lanes/scene.js").Scene} scene without its height and budget. */
  show(scene) {
    const stamp = this.stamp();
    if (!this.drawn) this.#drawAxis(scene);
    if (!this.drawn || stamp !== this.drawnStamp || !this.#covers(scene.view)) {
      this.drawnStamp = stamp;
      this.drawn = { ...scene.view, span_s: scene.view.span_s * (1 + SLACK) };
      const plot = { ...scene.plot, width_px: scene.plot.width_px * (1 + SLACK) };
      this.#draw(this.picture, { ...scene, view: this.drawn, plot }, plot.left_px + plot.width_px);
    }
    const x = toX(scene.view, scene.plot, this.drawn.start_s) - scene.plot.left_px;
    const ratio = window.devicePixelRatio || 1;
    this.picture.style.setProperty("transform", `translateX(${Math.round(x * ratio) / ratio}px)`);
  }

  /** Without the ruler's marks, which scroll. */
  #drawAxis(scene) {
    const start_s = (BETWEEN_MARKS_PX * scene.view.span_s) / scene.plot.width_px;
    this.#draw(this.axis, { ...scene, view: { ...scene.view, start_s } }, scene.plot.left_px + 1);
  }

  #covers({ start_s, span_s }) {
    return start_s >= this.drawn.start_s && start_s + span_s <= this.drawn.start_s + this.drawn.span_s;
  }

  #draw(canvas, scene, width_px) {
    const { height_px } = this.lane;
    this.lane.draw(prepare(canvas, width_px, height_px), { ...scene, height_px, budget: BUDGET });
  }
}

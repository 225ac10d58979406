/**
 * A lane that flows: its picture is wider than what is seen of it and is moved, which costs next to nothing, and drawn
 * again only where it has something new to show or nothing more to the right.
 */

import { prepare } from "../canvas.js";
import { el } from "../dom.js";
import { toX } from "../viewport.js";

/** So much wider is the picture. */
const SLACK = 0.5;
/** The first mark is at 0, the next one no nearer to it than twice this. */
const BETWEEN_MARKS_PX = 36;
const BUDGET = { until_ms: Infinity, exceeded: false };

export class FlowingLane {
  /**
   * @param {import("../lanes/scene.js").Lane} lane
   * @param {() => unknown} stamp another value when there is something new to show.
   */
  constructor(lane, stamp) {
    Object.assign(this, { lane, stamp });
    const canvas = (name) => /** @type {HTMLCanvasElement} */ (el("canvas", { class: name }));
    this.axis = canvas("flow-axis");
    this.picture = canvas("flow-picture");
    this.element = el("div", { class: `lane flow lane-${lane.name}` }, this.picture, this.axis);
    this.forget();
  }

  /** Draw all of it the next time: width, theme or scale are others. */
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

  /** Without the ruler's mark of a moment: these flow. */
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

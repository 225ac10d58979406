/**
 * What every lane is drawn from.
 *
 * @typedef {object} Scene
 * @property {Record<string, any>} state of the store.
 * @property {import("../viewport.js").View} view
 * @property {import("../viewport.js").Plot} plot
 * @property {number} width_px of the lane, its axis included.
 * @property {number} height_px
 * @property {import("../colours.js").Palette} palette
 * @property {Budget} budget
 *
 * @typedef {{left_ms: number, exceeded: boolean}} Budget how long pictures may still be painted before
 *   lanes draw with what there is, and whether that was so: the rest comes with the next drawing.
 *
 * @typedef {object} Lane
 * @property {string} name
 * @property {number} height_px
 * @property {(context: CanvasRenderingContext2D, scene: Scene) => void} draw
 */

import { write, writeName } from "../canvas.js";
import { ticks, toX } from "../viewport.js";

/**
 * The frame around a plot, its name, and faint lines at the time axis's marks.
 * @param {CanvasRenderingContext2D} context
 * @param {Scene} scene
 * @param {string} name
 * @param {boolean} [grid]
 */
export function drawFrame(context, { view, plot, height_px, palette }, name, grid = true) {
  context.strokeStyle = palette.line;
  context.lineWidth = 1;
  if (grid) {
    context.beginPath();
    for (const time_s of ticks(view, plot).times_s) {
      const x = Math.round(toX(view, plot, time_s)) + 0.5;
      context.moveTo(x, 0);
      context.lineTo(x, height_px);
    }
    context.stroke();
  }
  if (plot.left_px > 50) writeName(context, name, height_px, palette.muted);
}

/**
 * Marks on a lane's own axis.
 * @param {CanvasRenderingContext2D} context
 * @param {Scene} scene
 * @param {{y: number, text: string}[]} marks
 */
export function drawMarks(context, { plot, palette }, marks) {
  context.strokeStyle = palette.muted;
  context.lineWidth = 1;
  for (const { y, text } of marks) {
    context.beginPath();
    context.moveTo(plot.left_px - 4, Math.round(y) + 0.5);
    context.lineTo(plot.left_px, Math.round(y) + 0.5);
    context.stroke();
    write(context, text, plot.left_px - 7, y, {
      colour: palette.muted,
      align: "right",
      font: "10px system-ui, sans-serif",
    });
  }
}

/** What stands in a plot that has nothing to show yet. */
export function drawNote(context, { plot, height_px, palette }, text) {
  write(context, text, plot.left_px + plot.width_px / 2, height_px / 2, {
    colour: palette.muted,
    align: "center",
    font: "13px system-ui, sans-serif",
  });
}

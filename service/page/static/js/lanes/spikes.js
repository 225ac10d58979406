/** The greedy path as spikes: how sure the model was of the likeliest symbol of each frame. */

import { FONT, MONO, write } from "../canvas.js";
import { bestOf, runsOf } from "../ctc.js";
import { visible } from "../dom.js";
import { toTime, toX } from "../viewport.js";
import { drawFrame, drawMarks } from "./scene.js";

const TOP_PX = 18;
const VISIBLE = 0.03;
const LETTER_PX = 9;
/** Where frames are narrower, single spikes can't be told apart. */
const CROWDED_PX = 2;

/** @type {import("./scene.js").Lane} */
export const spikes = {
  name: "spikes",
  height_px: 118,
  draw(context, scene) {
    const { state, view, plot, height_px, palette } = scene;
    drawFrame(context, scene, "P(c | x)");
    const { probs } = state.matrices;
    const tiles = probs.within(view.start_s, view.start_s + view.span_s);
    const y = (prob) => height_px - 2 - prob * (height_px - TOP_PX - 2);
    drawMarks(
      context,
      scene,
      [0, 0.5, 1].map((prob) => ({ y: y(prob), text: String(prob) })),
    );
    context.save();
    context.beginPath();
    context.rect(plot.left_px, 0, plot.width_px, height_px);
    context.clip();
    const framePx = (plot.width_px * probs.step_s) / view.span_s;
    if (framePx < CROWDED_PX) {
      for (const tile of tiles) drawShares(context, scene, tile, y);
    } else {
      for (const tile of tiles) drawBlank(context, scene, tile, y);
      for (const tile of tiles) drawCurves(context, scene, tile, y);
      drawLetters(context, scene, tiles, y);
    }
    context.restore();
    context.strokeStyle = palette.line;
    context.strokeRect(plot.left_px + 0.5, 0.5, plot.width_px - 1, height_px - 1);
  },
};

/** Rows of a tile that are seen, and a frame to either side. */
function seen(tile, { view, state }) {
  const step_s = state.matrices.probs.step_s;
  const first = Math.max(Math.floor(view.start_s / step_s) - 1 - tile.first, 0);
  const end = Math.min(Math.ceil((view.start_s + view.span_s) / step_s) + 2 - tile.first, tile.rows);
  return [first, end];
}

/** The blank's probability as a shaded ground that the spikes stand on. */
function drawBlank(context, scene, tile, y) {
  const { state, view, plot, palette } = scene;
  const { probs, blank } = state.matrices;
  const [first, end] = seen(tile, scene);
  if (first >= end) return;
  const x = (row) => toX(view, plot, (tile.first + row) * probs.step_s);
  context.beginPath();
  context.moveTo(x(first), y(0));
  for (let row = first; row < end; row++) context.lineTo(x(row), y(tile.values[row * tile.columns + blank]));
  context.lineTo(x(end - 1), y(0));
  context.fillStyle = palette.blank;
  context.fill();
}

/** A line for each symbol, through the centres of the frames; only where it rises off the ground. */
function drawCurves(context, scene, tile, y) {
  const { state, view, plot, palette } = scene;
  const { probs, blank } = state.matrices;
  const [first, end] = seen(tile, scene);
  const x = (row) => toX(view, plot, (tile.first + row) * probs.step_s);
  context.lineWidth = 1.6;
  context.lineJoin = "round";
  for (let symbol = 0; symbol < tile.columns; symbol++) {
    if (symbol === blank) continue;
    const prob = (row) => tile.values[row * tile.columns + symbol];
    context.beginPath();
    let drawn = false;
    for (let row = first; row < end; row++) {
      const near =
        prob(row) >= VISIBLE ||
        (row > 0 && prob(row - 1) >= VISIBLE) ||
        (row + 1 < tile.rows && prob(row + 1) >= VISIBLE);
      if (near && drawn) context.lineTo(x(row), y(prob(row)));
      else if (near) context.moveTo(x(row), y(prob(row)));
      drawn = near;
    }
    context.strokeStyle = palette.symbol(symbol);
    context.stroke();
  }
}

/** From afar: how sure the path was in each pixel, on the mean, of a letter and of the blank. */
function drawShares(context, { state, view, plot, palette }, tile, y) {
  const { probs, blank } = state.matrices;
  const best = bestOf(tile);
  const rowAt = (x) => Math.round(toTime(view, plot, x) / probs.step_s) - tile.first;
  const first = Math.max(Math.floor(toX(view, plot, tile.first * probs.step_s)), plot.left_px);
  for (let x = first; x < plot.left_px + plot.width_px; x++) {
    const [start, end] = [Math.max(rowAt(x), 0), Math.min(Math.max(rowAt(x + 1), rowAt(x) + 1), tile.rows)];
    if (start >= tile.rows) return;
    let [letters, blanks] = [0, 0];
    for (let row = start; row < end; row++) {
      const prob = tile.values[row * tile.columns + best[row]] / (end - start);
      if (best[row] === blank) blanks += prob;
      else letters += prob;
    }
    context.fillStyle = palette.blank;
    context.fillRect(x, y(letters + blanks), 1, y(letters) - y(letters + blanks));
    context.fillStyle = palette.wave;
    context.fillRect(x, y(letters), 1, y(0) - y(letters));
  }
}

/** The path's symbols above their spikes, as far as there is room. */
function drawLetters(context, { state, view, plot, palette }, tiles, y) {
  const { probs, blank, symbols } = state.matrices;
  const first = probs.rowAt(view.start_s);
  let free = -Infinity;
  for (const run of runsOf(tiles, first, probs.rowAt(view.start_s + view.span_s) + 1)) {
    if (run.symbol === blank) continue;
    const x = toX(view, plot, ((run.start + run.end - 1) / 2) * probs.step_s);
    if (x < free) continue;
    free = x + LETTER_PX;
    const font = symbols[run.symbol] === " " ? `12px ${FONT}` : `600 13px ${MONO}`;
    write(context, visible(symbols[run.symbol]), x, Math.max(y(run.prob) - 9, 9), {
      colour: palette.symbol(run.symbol),
      font,
      align: "center",
    });
  }
}

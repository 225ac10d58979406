/** P(c | x_t) for every symbol and frame, the blank below; the path through it as a line. */

import { MONO, write } from "../canvas.js";
import { runsOf } from "../ctc.js";
import { visible } from "../dom.js";
import { toX } from "../viewport.js";
import { drawHeatmap } from "./heatmap.js";
import { drawFrame, drawNote } from "./scene.js";

export const ROW_PX = 10;
/** On the logarithmic scale the faintest that is seen. */
export const LEAST_PROB = 1e-4;

/** @param {number} symbols V, with the blank. @returns {import("./scene.js").Lane} */
export function posteriorgram(symbols) {
  return { name: "posteriorgram", height_px: symbols * ROW_PX + 2, draw };
}

/** @param {"linear" | "log"} kind @returns {(prob: number) => number} place among 256 colours */
export function placeOf(kind) {
  if (kind === "linear") return (prob) => prob * 255;
  const floor = Math.log(LEAST_PROB);
  return (prob) => 255 * (1 - Math.log(Math.max(prob, LEAST_PROB)) / floor);
}

/** @param {CanvasRenderingContext2D} context @param {import("./scene.js").Scene} scene */
function draw(context, scene) {
  const { state, view, plot, height_px, palette } = scene;
  const { probs, symbols, blank } = state.matrices;
  drawFrame(context, scene, "symbol c", false);
  const tiles = probs.within(view.start_s, view.start_s + view.span_s);
  const box = { y: 1, height: symbols.length * ROW_PX };
  drawHeatmap(
    context,
    tiles,
    box,
    view,
    plot,
    probs.step_s,
    {
      name: `belief ${state.scale} ${palette.theme}`,
      colours: palette.belief,
      place: placeOf(state.scale),
      pool: "max",
      upwards: false,
    },
    scene.budget,
  );
  if (!probs.has(view.start_s, view.start_s + view.span_s)) drawNote(context, scene, "fetching …");
  symbols.forEach((symbol, row) => {
    const name = row === blank ? (plot.left_px > 50 ? "blank" : "–") : visible(symbol);
    write(context, name, plot.left_px - 6, 1 + (row + 0.5) * ROW_PX - (symbol === " " ? 3 : 0), {
      colour: row === blank ? palette.ink : palette.muted,
      align: "right",
      font: `${row === blank ? 9 : 10}px ${MONO}`,
    });
  });
  context.strokeStyle = palette.line;
  context.beginPath();
  context.moveTo(plot.left_px, box.y + blank * ROW_PX - 0.5);
  context.lineTo(plot.left_px + plot.width_px, box.y + blank * ROW_PX - 0.5);
  context.stroke();
  if ((plot.width_px * probs.step_s) / view.span_s >= 3) drawPath(context, scene, tiles);
  context.strokeRect(plot.left_px + 0.5, 0.5, plot.width_px - 1, height_px - 1);
}

/** The greedy path, a step a frame; in align mode the frames of the text's characters. */
function drawPath(context, { state, view, plot, palette }, tiles) {
  const { probs, symbols } = state.matrices;
  const x = (frame) => toX(view, plot, frame * probs.step_s);
  const y = (symbol) => 1 + (symbol + 0.5) * ROW_PX;
  context.save();
  context.beginPath();
  context.rect(plot.left_px, 0, plot.width_px, y(symbols.length));
  context.clip();
  context.strokeStyle = palette.path;
  context.lineWidth = 1.5;
  if (state.mode === "align" && state.alignment) {
    for (const character of state.alignment.words.flatMap((word) => word.characters)) {
      const row = symbols.indexOf(character.character);
      const [left, right] = [x(character.start_frame - 0.5), x(character.end_frame - 0.5)];
      if (right > plot.left_px && left < plot.left_px + plot.width_px)
        context.strokeRect(left, y(row) - ROW_PX / 2, right - left, ROW_PX);
    }
  } else {
    context.globalAlpha = 0.85;
    context.beginPath();
    for (const run of runsOf(
      tiles,
      probs.rowAt(view.start_s) - 1,
      probs.rowAt(view.start_s + view.span_s) + 2,
    )) {
      context.lineTo(x(run.start - 0.5), y(run.symbol));
      context.lineTo(x(run.end - 0.5), y(run.symbol));
    }
    context.stroke();
  }
  context.restore();
}

/** Characters and words where they were heard; in align mode, where the text that was typed lies. */

import { FONT, MONO, write } from "../canvas.js";
import { visible } from "../dom.js";
import { toX } from "../viewport.js";
import { drawFrame } from "./scene.js";

const WORST_SCORE = 4;
/** Narrower spans are shades without a border and text. */
const LEAST_BOX_PX = 4;

/**
 * What is written under the axis, as the mode is.
 * @param {Record<string, any>} state
 * @returns {{words: any[], aligned: boolean}}
 */
export function spansOf(state) {
  const aligned = state.mode === "align" && Boolean(state.alignment);
  return { words: aligned ? state.alignment.words : state.tokens, aligned };
}

/** How doubtful a span is, 0 to 1: a word by its confidence or GOP, an aligned character by its score. */
export function doubtOf(span, aligned) {
  if (!aligned) return span.original === undefined ? 1 - span.confidence : 0; // somebody was sure
  return Math.min(-(span.gop ?? span.score) / WORST_SCORE, 1);
}

/** @type {import("./scene.js").Lane} */
export const characters = {
  name: "characters",
  height_px: 26,
  draw(context, scene) {
    drawFrame(context, scene, "", false);
    nameLane(context, scene, "letters");
    const { words, aligned } = spansOf(scene.state);
    const spelled = aligned ? words : (scene.state.reading?.words ?? []);
    const letters = spelled.flatMap((word) => word.characters ?? []);
    drawSpans(context, scene, letters, (letter) => visible(letter.character), `11.5px ${MONO}`, aligned, 2);
  },
};

/** @type {import("./scene.js").Lane} */
export const words = {
  name: "words",
  height_px: 32,
  draw(context, scene) {
    const found = spansOf(scene.state);
    nameLane(context, scene, found.aligned ? "aligned" : "words");
    drawSpans(context, scene, found.words, (word) => word.word, `14px ${FONT}`, found.aligned, 4);
  },
};

function nameLane(context, { plot, height_px, palette }, name) {
  if (plot.left_px > 50)
    write(context, name, plot.left_px - 8, height_px / 2, { colour: palette.muted, align: "right" });
}

/** Boxes with their text, those that are seen; text only where it has room. */
function drawSpans(context, scene, spans, textOf, font, aligned, radius) {
  const { state, view, plot, height_px, palette } = scene;
  context.save();
  context.beginPath();
  context.rect(plot.left_px, 0, plot.width_px, height_px);
  context.clip();
  const end_s = view.start_s + view.span_s;
  let free = -Infinity;
  for (const span of spans) {
    if (span.end_s < view.start_s || span.start_s > end_s) continue;
    const [left, right] = [toX(view, plot, span.start_s), toX(view, plot, span.end_s)];
    const under = state.cursor_s >= span.start_s && state.cursor_s < span.end_s;
    context.fillStyle = span.tentative ? palette.paper : palette.doubt(doubtOf(span, aligned));
    if (right - left < LEAST_BOX_PX) {
      context.fillRect(left, 3.5, Math.max(right - left, 0.5), height_px - 7);
      continue;
    }
    context.beginPath();
    context.roundRect(left + 0.5, 3.5, right - left - 1, height_px - 7, Math.min(radius, (right - left) / 3));
    context.fill();
    context.strokeStyle = under ? palette.ink : palette.line;
    context.lineWidth = under ? 1.5 : 1;
    context.stroke();
    const colour = span.tentative ? palette.muted : palette.ink;
    free = writeInside(context, textOf(span), (left + right) / 2, height_px / 2, { colour, font, free });
  }
  context.restore();
}

/** Write text unless it would touch the text before it; the place from which there is room again. */
function writeInside(context, text, x, y, { colour, font, free }) {
  context.font = font;
  const width = context.measureText(text).width;
  if (x - width / 2 < free) return free;
  write(context, text, x, y, { colour, font, align: "center" });
  return x + width / 2 + 1;
}

/** The word at a moment, if there is one. @param {Record<string, any>} state @param {number} time_s */
export function wordAt(state, time_s) {
  return spansOf(state).words.find((word) => time_s >= word.start_s && time_s < word.end_s) ?? null;
}

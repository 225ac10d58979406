/** What the colours mean, in numbers. */

import { doubtColour, paintRamp, palette } from "./colours.js";
import { byId } from "./dom.js";
import { scaleOf } from "./lanes/features.js";
import { LEAST_PROB } from "./lanes/posteriorgram.js";

export class Legends {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    store.on(["theme", "scale", "phase", "model"], ({ scale, model }) => show(scale, model));
  }
}

/** @param {string} scale @param {any} model */
function show(scale, model) {
  const colours = palette();
  paintRamp(colours.energy, /** @type {HTMLCanvasElement} */ (byId("energy-ramp")));
  for (const canvas of document.querySelectorAll("canvas.belief-ramp"))
    paintRamp(colours.belief, /** @type {HTMLCanvasElement} */ (canvas));
  for (const least of document.querySelectorAll(".belief-least"))
    least.textContent = scale === "log" ? `≤ ${LEAST_PROB}` : "0";
  if (model) {
    const { low, high, unit } = scaleOf(model.spec.features);
    byId("energy-least").textContent = String(low).replace("-", "−");
    byId("energy-most").textContent = `+${high} ${unit}`;
  }
  for (const canvas of document.querySelectorAll("canvas.doubt-ramp"))
    paintDoubt(/** @type {HTMLCanvasElement} */ (canvas), colours.theme === "dark");
}

/** The shades behind words, from sure to doubtful. */
function paintDoubt(canvas, dark) {
  canvas.width = 128;
  canvas.height = 1;
  const context = canvas.getContext("2d");
  for (let x = 0; x < 128; x++) {
    context.fillStyle = doubtColour(1 - x / 127, dark);
    context.fillRect(x, 0, 1, 1);
  }
}

/** The whole recording in one strip, and the window in it that the lanes show. */

import { between, loudest } from "../sound.js";
import { drawFrame } from "./scene.js";

/** The strip's waveform is painted once for each recording, width and theme. */
const painted = { key: "", canvas: document.createElement("canvas") };

/** @type {import("./scene.js").Lane} */
export const overview = {
  name: "overview",
  height_px: 34,
  draw(context, scene) {
    const { state, view, plot, height_px, palette } = scene;
    const { duration_s } = state.recording;
    drawFrame(context, scene, "all", false);
    if (state.sound) context.drawImage(strip(scene), plot.left_px, 0, plot.width_px, height_px);
    const x = (time_s) => plot.left_px + (time_s / duration_s) * plot.width_px;
    const [left, right] = [x(view.start_s), x(view.start_s + view.span_s)];
    context.globalAlpha = 0.72;
    context.fillStyle = palette.paper;
    context.fillRect(plot.left_px, 0, left - plot.left_px, height_px);
    context.fillRect(right, 0, plot.left_px + plot.width_px - right, height_px);
    context.globalAlpha = 1;
    context.strokeStyle = palette.accent;
    context.lineWidth = 2;
    context.strokeRect(left + 1, 1, Math.max(right - left - 2, 3), height_px - 2);
    context.fillStyle = palette.accent;
    context.fillRect(x(state.play.at_s) - 1, 0, 2, height_px);
  },
};

/** @param {import("./scene.js").Scene} scene */
function strip({ state, plot, height_px, palette }) {
  const { duration_s, id } = state.recording;
  const ratio = window.devicePixelRatio || 1;
  const width = Math.round(plot.width_px * ratio);
  const key = `${id} ${width} ${palette.theme}`;
  if (painted.key === key) return painted.canvas;
  Object.assign(painted, { key });
  painted.canvas.width = width;
  painted.canvas.height = Math.round(height_px * ratio);
  const context = painted.canvas.getContext("2d");
  const middle = painted.canvas.height / 2;
  const scale = (middle - 2) / loudest(state.sound);
  context.fillStyle = palette.wave;
  for (let x = 0; x < width; x++) {
    const [low, high] = between(state.sound, (x / width) * duration_s, ((x + 1) / width) * duration_s);
    context.fillRect(x, middle - high * scale, 1, Math.max((high - low) * scale, 1));
  }
  return painted.canvas;
}

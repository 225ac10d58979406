/** The sound pressure, as loud as the recording's loudest moment is tall; and the time axis above it. */

import { write } from "../canvas.js";
import { clock } from "../format.js";
import { RATE_HZ, between, loudest } from "../sound.js";
import { ticks, toTime, toX } from "../viewport.js";
import { drawFrame, drawMarks, drawNote } from "./scene.js";

/** @type {import("./scene.js").Lane} */
export const ruler = {
  name: "time",
  height_px: 26,
  draw(context, { view, plot, height_px, palette }) {
    const { times_s, step_s } = ticks(view, plot);
    const decimals = step_s >= 1 ? 0 : step_s >= 0.1 ? 1 : 2;
    context.strokeStyle = palette.muted;
    context.beginPath();
    for (const time_s of times_s) {
      const x = Math.round(toX(view, plot, time_s)) + 0.5;
      context.moveTo(x, height_px - 6);
      context.lineTo(x, height_px);
      const text = view.start_s + view.span_s < 60 ? time_s.toFixed(decimals) : clock(time_s, decimals);
      const half = 4 + text.length * 3;
      const kept = Math.min(Math.max(x, plot.left_px + half - 8), plot.left_px + plot.width_px - half);
      write(context, text, kept, height_px - 14, { colour: palette.ink, align: "center" });
    }
    context.stroke();
    write(context, plot.left_px > 50 ? "time, s" : "s", plot.left_px > 50 ? 14 : 16, height_px - 14, {
      colour: palette.muted,
    });
  },
};

/** @type {import("./scene.js").Lane} */
export const waveform = {
  name: "waveform",
  height_px: 92,
  draw(context, scene) {
    const { state, plot, height_px, palette } = scene;
    drawFrame(context, scene, "waveform");
    const middle = height_px / 2;
    if (!state.sound) {
      drawNote(
        context,
        scene,
        state.sound === undefined
          ? "decoding …"
          : "this browser can't play this kind of file; everything else works",
      );
      return;
    }
    const peak = loudest(state.sound);
    drawWave(context, scene, middle, (middle - 4) / peak);
    drawMarks(
      context,
      scene,
      [-1, 0, 1].map((side) => ({
        y: middle - side * (middle - 6),
        text: side ? (side * peak).toFixed(peak < 0.1 ? 2 : 1).replace("-", "−") : "0",
      })),
    );
    context.strokeStyle = palette.line;
    context.strokeRect(plot.left_px + 0.5, 0.5, plot.width_px - 1, height_px - 1);
  },
};

/** Extremes in each pixel; close up, the samples themselves. */
function drawWave(context, { state, view, plot, palette }, middle, scale) {
  const { sound } = state;
  const samplesPerPixel = (view.span_s * RATE_HZ) / plot.width_px;
  context.save();
  context.beginPath();
  context.rect(plot.left_px, 0, plot.width_px, middle * 2);
  context.clip();
  context.beginPath();
  if (samplesPerPixel < 1.5) {
    const first = Math.max(Math.floor(view.start_s * RATE_HZ), 0);
    const last = Math.min(Math.ceil((view.start_s + view.span_s) * RATE_HZ), sound.samples.length - 1);
    for (let sample = first; sample <= last; sample++) {
      context.lineTo(toX(view, plot, sample / RATE_HZ), middle - sound.samples[sample] * scale);
    }
    context.strokeStyle = palette.wave;
    context.lineWidth = 1.25;
    context.stroke();
  } else {
    context.fillStyle = palette.wave;
    for (let x = plot.left_px; x < plot.left_px + plot.width_px; x += 0.5) {
      const [low, high] = between(sound, toTime(view, plot, x), toTime(view, plot, x + 0.5));
      context.rect(x, middle - high * scale, 0.5, Math.max((high - low) * scale, 0.75));
    }
    context.fill();
  }
  context.restore();
}

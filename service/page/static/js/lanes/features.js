/** X, the vectors the model reads, one each 10 ms: a column a vector, low bins at the bottom. */

import { drawHeatmap } from "./heatmap.js";
import { drawFrame, drawMarks, drawNote } from "./scene.js";

/** Values that are shown, and their unit: deviations from the mean, or Whisper's log-mel, in which 1 is 40 dB. */
const SCALES = {
  deviations: { low: -2, high: 3, marks: [-2, 0, 2], unit: "σ" },
  whisper: { low: -1, high: 1.5, marks: [-1, 0, 1], unit: "× 40 dB" },
};
const MOST_SPAN_S = 1200;

/** @type {import("./scene.js").Lane} */
export const features = {
  name: "features",
  height_px: 148,
  draw(context, scene) {
    const { state, view, plot, height_px, palette } = scene;
    const spec = state.model.spec.features;
    const mel = hasMelBins(spec);
    drawFrame(context, scene, mel ? "log-mel, kHz" : "MFCC", false);
    const { vectors } = state.matrices;
    if (view.span_s > MOST_SPAN_S) {
      drawNote(context, scene, "zoom in to see the features: at most 20 minutes at a time");
      return;
    }
    const tiles = vectors.within(view.start_s, view.start_s + view.span_s);
    const { low, high } = scaleOf(spec);
    drawHeatmap(
      context,
      tiles,
      { y: 0, height: height_px },
      view,
      plot,
      vectors.step_s,
      {
        name: "energy",
        colours: palette.energy,
        place: (value) => (255 * (value - low)) / (high - low),
        pool: "mean",
        upwards: true,
      },
      scene.budget,
    );
    if (!vectors.has(view.start_s, view.start_s + view.span_s)) drawNote(context, scene, "fetching …");
    if (mel) drawMarks(context, scene, frequencyMarks(spec, height_px));
    context.strokeStyle = palette.line;
    context.strokeRect(plot.left_px + 0.5, 0.5, plot.width_px - 1, height_px - 1);
  },
};

/** How the features' values are shown. @param {{kind: string}} spec */
export function scaleOf(spec) {
  return spec.kind === "whisper" ? SCALES.whisper : SCALES.deviations;
}

/** Whether a vector's values are those of mel filters, not of their cosines. @param {{kind: string}} spec */
export function hasMelBins(spec) {
  return spec.kind !== "mfcc";
}

/** Where whole kilohertz lie on the mel axis. */
function frequencyMarks(spec, height_px) {
  return [0.5, 1, 2, 4]
    .map((khz) => ({ y: height_px * (1 - binOf(khz * 1000, spec) / spec.n_mels), text: String(khz) }))
    .filter(({ y }) => y > 5 && y < height_px - 5);
}

/** The mel scale: Slaney's, as librosa and the model's filterbank have it. @param {number} hz */
function mel(hz) {
  return hz < 1000 ? (hz * 3) / 200 : 15 + (27 * Math.log(hz / 1000)) / Math.log(6.4);
}

/** Where a frequency lies among the bins: bin b is drawn from b to b + 1. */
export function binOf(hz, { low_hz, high_hz, n_mels }) {
  return ((mel(hz) - mel(low_hz)) / (mel(high_hz) - mel(low_hz))) * (n_mels + 1) - 0.5;
}

/** The frequency at which a bin's filter is centred, in hertz. @param {number} bin */
export function centreOf(bin, { low_hz, high_hz, n_mels }) {
  const place = mel(low_hz) + ((bin + 1) / (n_mels + 1)) * (mel(high_hz) - mel(low_hz));
  return place < 15 ? (place * 200) / 3 : 1000 * 6.4 ** ((place - 15) / 27);
}

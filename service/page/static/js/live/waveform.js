/** The waveform of the last seconds from the microphone, and its lane. */

import { drawFrame } from "../lanes/scene.js";
import { toTime } from "../viewport.js";

/** Seconds of samples whose extremes are one column; a pixel spans a few columns. */
const COLUMN_S = 0.004;
/** The scale never grows beyond that of this peak. */
const LEAST_PEAK = 0.05;

export class LiveWaveform {
  /** @param {number} rate_hz @param {number} kept_s */
  constructor(rate_hz, kept_s) {
    this.size = Math.round(rate_hz * COLUMN_S);
    this.column_s = this.size / rate_hz;
    const columns = Math.ceil(kept_s / this.column_s);
    [this.least, this.most] = [new Float32Array(columns), new Float32Array(columns)];
    this.samples = 0;
    this.peak = LEAST_PEAK;
  }

  /** @param {Int16Array} pcm */
  put(pcm) {
    for (const integer of pcm) {
      const sample = integer / 32768;
      const place = Math.floor(this.samples / this.size) % this.least.length;
      const fresh = this.samples++ % this.size === 0;
      this.least[place] = fresh ? sample : Math.min(this.least[place], sample);
      this.most[place] = fresh ? sample : Math.max(this.most[place], sample);
      this.peak = Math.max(this.peak, Math.abs(sample));
    }
  }

  /**
   * The extremes between two moments.
   * @param {number} from_s
   * @param {number} to_s
   * @returns {[number, number] | null} null where nothing is kept.
   */
  between(from_s, to_s) {
    const end = Math.floor(this.samples / this.size); // the column after the last whole one
    const first = Math.floor(from_s / this.column_s);
    const stop = Math.min(Math.max(Math.ceil(to_s / this.column_s), first + 1), end);
    let [low, high] = [Infinity, -Infinity];
    for (let column = Math.max(first, end - this.least.length + 1, 0); column < stop; column++) {
      low = Math.min(low, this.least[column % this.least.length]);
      high = Math.max(high, this.most[column % this.least.length]);
    }
    return low > high ? null : [low, high];
  }
}

/** @type {import("../lanes/scene.js").Lane} */
export const liveWaveformLane = {
  name: "waveform",
  height_px: 64,
  draw(context, scene) {
    const { state, view, plot, height_px, palette } = scene;
    drawFrame(context, scene, "sound");
    const middle = height_px / 2;
    const scale = (middle - 4) / state.waveform.peak;
    context.beginPath();
    for (let x = plot.left_px; x < plot.left_px + plot.width_px; x++) {
      const found = state.waveform.between(toTime(view, plot, x), toTime(view, plot, x + 1));
      if (!found) continue;
      const [low, high] = found;
      context.rect(x, middle - high * scale, 1, Math.max((high - low) * scale, 0.75));
    }
    context.fillStyle = palette.wave;
    context.fill();
    context.strokeStyle = palette.line;
    context.strokeRect(plot.left_px + 0.5, 0.5, plot.width_px - 1, height_px - 1);
  },
};

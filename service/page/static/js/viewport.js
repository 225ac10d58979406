/** The time axis that all lanes share: which seconds are seen, and where. Pure functions. */

/**
 * @typedef {{start_s: number, span_s: number}} View what is seen of the recording.
 * @typedef {{left_px: number, width_px: number}} Plot where it is seen, in CSS pixels of a lane.
 */

export const LEAST_SPAN_S = 0.25;
const TICK_STEPS_S = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800];
const TICK_PX = 72;
const NARROW_PX = 560;
/** The share of a view that a play head which turned the page has left behind it. */
const LEFT_BEHIND = 0.08;
/** So wide are frames whose letters can be read. */
const READABLE_PX = 4.5;

/**
 * The first look at a recording: as much of it as can be read.
 * @param {number} duration_s
 * @param {number} frame_s
 * @param {Plot} plot
 * @returns {View}
 */
export function firstView(duration_s, frame_s, { width_px }) {
  return clamped({ start_s: 0, span_s: (width_px / READABLE_PX) * frame_s }, duration_s);
}

/**
 * Keep a view within the recording.
 * @param {View} view
 * @param {number} duration_s
 * @returns {View}
 */
export function clamped({ start_s, span_s }, duration_s) {
  const span = Math.min(Math.max(span_s, Math.min(LEAST_SPAN_S, duration_s)), duration_s);
  return { start_s: Math.min(Math.max(start_s, 0), duration_s - span), span_s: span };
}

/**
 * Zoom so that one moment stays where it is.
 * @param {View} view
 * @param {number} factor below 1 shows less, and that larger.
 * @param {number} about_s
 * @param {number} duration_s
 * @returns {View}
 */
export function zoomed(view, factor, about_s, duration_s) {
  const least = Math.min(LEAST_SPAN_S, duration_s);
  const span_s = Math.min(Math.max(view.span_s * factor, least), duration_s);
  const share = (about_s - view.start_s) / view.span_s;
  return clamped({ start_s: about_s - share * span_s, span_s }, duration_s);
}

/** @param {View} view @param {number} by_s @param {number} duration_s @returns {View} */
export function scrolled(view, by_s, duration_s) {
  return clamped({ start_s: view.start_s + by_s, span_s: view.span_s }, duration_s);
}

/**
 * The same view, moved no further than needed to show a stretch.
 * @param {View} view
 * @param {number} from_s
 * @param {number} to_s
 * @param {number} duration_s
 * @returns {View}
 */
export function revealing(view, from_s, to_s, duration_s) {
  const end_s = view.start_s + view.span_s;
  if (from_s >= view.start_s && to_s <= end_s) return view;
  const margin_s = Math.min(view.span_s * 0.15, Math.max(0, view.span_s - (to_s - from_s)) / 2);
  if (from_s < view.start_s) return clamped({ start_s: from_s - margin_s, span_s: view.span_s }, duration_s);
  return clamped({ start_s: to_s + margin_s - view.span_s, span_s: view.span_s }, duration_s);
}

/**
 * The same view, or the next one when playing has come to its end.
 * @param {View} view
 * @param {number} at_s
 * @param {number} duration_s
 * @returns {View}
 */
export function following(view, at_s, duration_s) {
  if (at_s >= view.start_s && at_s <= view.start_s + view.span_s) return view;
  return clamped({ start_s: at_s - view.span_s * LEFT_BEHIND, span_s: view.span_s }, duration_s);
}

/** Where lanes of this width draw: their names and axes stand before it. @param {number} width_px @returns {Plot} */
export function plotOf(width_px) {
  const left_px = width_px < NARROW_PX ? 38 : 62;
  return { left_px, width_px: Math.max(width_px - left_px - 1, 1) };
}

/** @param {View} view @param {Plot} plot @param {number} time_s */
export function toX(view, plot, time_s) {
  return plot.left_px + ((time_s - view.start_s) / view.span_s) * plot.width_px;
}

/** @param {View} view @param {Plot} plot @param {number} x_px */
export function toTime(view, plot, x_px) {
  return view.start_s + ((x_px - plot.left_px) / plot.width_px) * view.span_s;
}

/**
 * Round moments to mark, some way apart.
 * @param {View} view
 * @param {Plot} plot
 * @returns {{times_s: number[], step_s: number}}
 */
export function ticks(view, plot) {
  const least_s = (TICK_PX * view.span_s) / plot.width_px;
  const step_s = TICK_STEPS_S.find((step) => step >= least_s) ?? TICK_STEPS_S[TICK_STEPS_S.length - 1];
  const first = Math.ceil(view.start_s / step_s - 1e-9);
  const last = Math.floor((view.start_s + view.span_s) / step_s + 1e-9);
  return {
    times_s: Array.from({ length: last - first + 1 }, (_, place) => (first + place) * step_s),
    step_s,
  };
}

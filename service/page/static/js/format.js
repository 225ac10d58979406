/** Numbers as people read them. Units stand beside them. */

/**
 * Seconds as a clock shows them: 1:02.34.
 * @param {number} time_s
 * @param {number} [decimals]
 */
export function clock(time_s, decimals = 2) {
  const scale = 10 ** decimals;
  const units = Math.round(Math.max(time_s, 0) * scale);
  const minutes = Math.floor(units / (60 * scale));
  const seconds = ((units - minutes * 60 * scale) / scale).toFixed(decimals);
  return `${minutes}:${seconds.padStart(decimals ? decimals + 3 : 2, "0")}`;
}

/** 54320 -> 54 320, with thin spaces. @param {number} count */
export function counted(count) {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** 0.934 -> 93 %, and what is nearly nothing or all is not rounded to it. @param {number} prob */
export function percent(prob) {
  if (prob > 0 && prob < 0.005) return "<\u2009½\u2009%";
  if (prob < 1 && prob > 0.995) return ">\u200999½\u2009%";
  return `${Math.round(prob * 100)}\u2009%`;
}

/** A log probability or score, with a real minus. @param {number} value @param {number} [decimals] */
export function signed(value, decimals = 2) {
  const text = Math.abs(value).toFixed(decimals);
  return Number(text) === 0 ? text : value < 0 ? `−${text}` : text;
}

/** Bytes in the unit that fits. @param {number} bytes */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

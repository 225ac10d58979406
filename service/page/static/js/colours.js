/**
 * Colours of the canvases. Ramps are straight lines in OKLCH (Ottosson 2020): equal steps of a value
 * are equal steps of lightness to the eye, in colour, in grey and on a bad projector.
 */

/** @typedef {[number, number, number]} Lch lightness 0 to 1, chroma, hue in degrees. */

/** OKLCH to sRGB, each 0 to 255. @param {Lch} colour @returns {[number, number, number]} */
export function toRgb([lightness, chroma, hue]) {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return /** @type {[number, number, number]} */ (linear.map(gamma));
}

function gamma(value) {
  const kept = Math.min(Math.max(value, 0), 1);
  return Math.round(255 * (kept <= 0.0031308 ? 12.92 * kept : 1.055 * kept ** (1 / 2.4) - 0.055));
}

/** @param {Lch} colour @param {number} [alpha] */
export function css(colour, alpha = 1) {
  const [red, green, blue] = toRgb(colour);
  return `rgb(${red} ${green} ${blue} / ${alpha})`;
}

/**
 * 256 colours through some stops, as 32-bit pixels of ImageData.
 * @param {Lch[]} stops evenly apart.
 */
function ramp(stops) {
  const pixels = new Uint8ClampedArray(256 * 4);
  for (let value = 0; value < 256; value++) {
    const place = (value / 255) * (stops.length - 1);
    const below = Math.min(Math.floor(place), stops.length - 2);
    const share = place - below;
    const mixed = stops[below].map((from, axis) => from + (stops[below + 1][axis] - from) * share);
    pixels.set([...toRgb(/** @type {Lch} */ (mixed)), 255], value * 4);
  }
  return new Uint32Array(pixels.buffer);
}

/** Sound energy: night blue over magenta to pale yellow, lightness rising by equal steps. */
const ENERGY = [
  [0.16, 0.05, 275],
  [0.35, 0.15, 300],
  [0.54, 0.19, 345],
  [0.74, 0.15, 405],
  [0.96, 0.07, 460],
];
/** Belief on paper: from the paper to deep blue. */
const BELIEF_LIGHT = [
  [0.985, 0.004, 95],
  [0.78, 0.075, 190],
  [0.56, 0.1, 240],
  [0.3, 0.11, 268],
];
/** Belief in the dark: from the night to light. */
const BELIEF_DARK = [
  [0.2, 0.012, 260],
  [0.44, 0.09, 235],
  [0.69, 0.12, 190],
  [0.96, 0.07, 110],
];

/** @typedef {ReturnType<typeof paletteOf>} Palette */

/** All that canvases are painted with, as the theme is now. */
export function palette() {
  return paletteOf(document.documentElement.dataset.theme === "dark");
}

/** @param {boolean} dark */
function paletteOf(dark) {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    theme: dark ? "dark" : "light",
    paper: read("panel"),
    ink: read("ink"),
    muted: read("muted"),
    line: read("line"),
    accent: read("accent"),
    path: read("path"),
    blank: read("blank"),
    wave: read("wave"),
    energy: ramp(/** @type {Lch[]} */ (ENERGY)),
    belief: ramp(/** @type {Lch[]} */ (dark ? BELIEF_DARK : BELIEF_LIGHT)),
    /** @param {number} symbol the class; neighbours in the alphabet are far apart in hue. */
    symbol: (symbol) => css([dark ? 0.79 : 0.5, dark ? 0.13 : 0.14, (symbol * 137.5 + 25) % 360]),
    /** @param {number} doubt 0 to 1. */
    doubt: (doubt) => doubtColour(doubt, dark),
  };
}

/**
 * The shade behind what is doubtful: none where the model is sure. Text on it keeps its contrast.
 * @param {number} doubt 0 to 1.
 * @param {boolean} dark
 */
export function doubtColour(doubt, dark) {
  const kept = Math.min(Math.max(doubt, 0), 1);
  return css(dark ? [0.5, 0.13, 55] : [0.83, 0.15, 75], 0.06 + 0.84 * kept);
}

/** A ramp as an image for legends, from left to right. @param {Uint32Array} colours @param {HTMLCanvasElement} canvas */
export function paintRamp(colours, canvas) {
  canvas.width = 256;
  canvas.height = 1;
  const context = canvas.getContext("2d");
  context.putImageData(new ImageData(new Uint8ClampedArray(colours.slice().buffer), 256, 1), 0, 0);
}

/** Matrices as pictures: each tile is painted once for each zoom and theme, then only copied. */

import { derived } from "../tiles.js";
import { toX } from "../viewport.js";

const POOL = 4;

/**
 * @typedef {object} Scale how values become colours.
 * @property {string} name of the colours, for what is kept.
 * @property {Uint32Array} colours 256 pixels.
 * @property {(value: number) => number} place of a value among them, 0 to 255.
 * @property {"max" | "mean"} pool what several rows look like together when they share a pixel.
 * @property {boolean} upwards whether the first column is at the bottom.
 */

/**
 * Draw a matrix, a row of it a column of the picture.
 * @param {CanvasRenderingContext2D} context
 * @param {import("../tiles.js").Tile[]} tiles
 * @param {{y: number, height: number}} box
 * @param {import("../viewport.js").View} view
 * @param {import("../viewport.js").Plot} plot
 * @param {number} step_s between rows.
 * @param {Scale} scale
 * @param {import("./scene.js").Budget} budget
 */
export function drawHeatmap(context, tiles, box, view, plot, step_s, scale, budget) {
  const ratio = window.devicePixelRatio || 1;
  const rowsPerPixel = view.span_s / step_s / (plot.width_px * ratio);
  const pooled = rowsPerPixel > 1 ? POOL ** Math.floor(Math.log(rowsPerPixel) / Math.log(POOL)) : 1;
  context.save();
  context.beginPath();
  context.rect(plot.left_px, box.y, plot.width_px, box.height);
  context.clip();
  context.imageSmoothingEnabled = rowsPerPixel > 1;
  for (const tile of tiles) {
    const picture = pictureOf(tile, pooled, scale, budget);
    if (!picture) continue;
    const edge = (row) => Math.round(toX(view, plot, (row - 0.5) * step_s) * ratio) / ratio;
    const [left, right] = [edge(tile.first), edge(tile.first + tile.rows)];
    context.drawImage(picture, left, box.y, right - left, box.height);
  }
  context.restore();
}

/** The picture of a tile; where there is no time to paint it now, one that was painted for another zoom. */
function pictureOf(tile, pooled, scale, budget) {
  const name = `${scale.name} ${pooled}`;
  if (tile.derived.has(name) || budget.left_ms > 0) {
    const start_ms = performance.now();
    const picture = derived(tile, name, () => paint(tile, pooled, scale));
    budget.left_ms -= performance.now() - start_ms;
    return picture;
  }
  budget.exceeded = true;
  const other = [...tile.derived.keys()].find((key) => key.startsWith(`${scale.name} `));
  return other && tile.derived.get(other);
}

/** @param {import("../tiles.js").Tile} tile @param {number} pooled rows a pixel. @param {Scale} scale */
function paint(tile, pooled, { colours, place, pool, upwards }) {
  const width = Math.ceil(tile.rows / pooled);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = tile.columns;
  const image = new ImageData(width, tile.columns);
  const pixels = new Uint32Array(image.data.buffer);
  for (let x = 0; x < width; x++) {
    const stop = Math.min((x + 1) * pooled, tile.rows);
    for (let column = 0; column < tile.columns; column++) {
      let value = pool === "max" ? -Infinity : 0;
      for (let row = x * pooled; row < stop; row++) {
        const one = tile.values[row * tile.columns + column];
        value = pool === "max" ? Math.max(value, one) : value + one / (stop - x * pooled);
      }
      const y = upwards ? tile.columns - 1 - column : column;
      pixels[y * width + x] = colours[Math.min(Math.max(Math.round(place(value)), 0), 255)];
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

/** What CTC makes of a path: merge repeats, drop blanks (Graves et al. 2006). Pure functions. */

import { derived } from "./tiles.js";

/** @typedef {{symbol: number, start: number, end: number, prob: number}} Run equal classes in frames start to end - 1. */

/**
 * The likeliest class of each frame of a tile.
 * @param {import("./tiles.js").Tile} tile of posteriors.
 * @returns {Uint8Array}
 */
export function bestOf(tile) {
  return derived(tile, "best", () => {
    const best = new Uint8Array(tile.rows);
    for (let row = 0; row < tile.rows; row++)
      best[row] = argmax(tile.values.subarray(row * tile.columns, (row + 1) * tile.columns));
    return best;
  });
}

/** Place of the greatest value. @param {ArrayLike<number>} values */
export function argmax(values) {
  let best = 0;
  for (let place = 1; place < values.length; place++) if (values[place] > values[best]) best = place;
  return best;
}

/**
 * Places of the greatest values, the greatest first.
 * @param {Float32Array} values
 * @param {number} count
 */
export function top(values, count) {
  return Array.from(values.keys())
    .sort((one, other) => values[other] - values[one])
    .slice(0, count);
}

/**
 * The greedy path of some frames, repeats merged.
 * @param {import("./tiles.js").Tile[]} tiles in order, of posteriors.
 * @param {number} first
 * @param {number} end the first frame after them.
 * @returns {Run[]} of the frames that are there.
 */
export function runsOf(tiles, first, end) {
  /** @type {Run[]} */
  const runs = [];
  for (const tile of tiles) {
    const best = bestOf(tile);
    for (let row = Math.max(first - tile.first, 0); row < Math.min(end - tile.first, tile.rows); row++) {
      const [frame, symbol] = [tile.first + row, best[row]];
      const prob = tile.values[row * tile.columns + symbol];
      const last = runs[runs.length - 1];
      if (last && last.symbol === symbol && last.end === frame) {
        last.end++;
        last.prob = Math.max(last.prob, prob);
      } else runs.push({ symbol, start: frame, end: frame + 1, prob });
    }
  }
  return runs;
}

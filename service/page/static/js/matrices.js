/** X and the posteriors of a recording: how long they are, and their tiles. */

import { Tiles } from "./tiles.js";

const TILE_S = 20.48; // so many seconds of both, whatever their rate
const KEPT = { probs: 512, features: 64 };
const TAIL_S = 1;

/**
 * @typedef {object} Matrices
 * @property {Tiles} probs
 * @property {Tiles} vectors X
 * @property {string[]} symbols names of the posteriors' columns, the blank last.
 * @property {number} blank its column.
 */

/**
 * Look how long the matrices of a recording are; their values come when they are looked at.
 * @param {import("./api.js").Api} api
 * @param {{id: string, duration_s: number}} recording
 * @param {any} model GET /model
 * @param {{onChange: () => void, onError: (error: unknown) => void}} told
 * @returns {Promise<Matrices>}
 */
export async function openMatrices(api, recording, model, told) {
  const { features } = model.spec;
  const symbols = symbolsOf(model);
  const [probs, vectors] = await Promise.all([
    open(api, "probs", recording, model.frame_s, told),
    open(api, "features", recording, features.hop_ms / 1000, told),
  ]);
  return { probs, vectors, symbols, blank: symbols.length - 1 };
}

/** Names of the posteriors' columns. @param {any} model GET /model @returns {string[]} */
export function symbolsOf(model) {
  return [...model.spec.alphabet.symbols, "<blank>"];
}

async function open(api, path, { id, duration_s }, step_s, told) {
  const from_s = Math.max(duration_s - TAIL_S, 0).toFixed(3);
  const tail = await api.matrix(path, { id, from_s });
  return new Tiles({
    rows: Math.round(tail.start_s / step_s) + tail.rows,
    step_s,
    rowsPerTile: Math.round(TILE_S / step_s),
    kept: KEPT[path],
    load: (first_s, end_s, signal) =>
      api.matrix(path, { id, from_s: first_s.toFixed(6), to_s: end_s?.toFixed(6) }, signal),
    ...told,
  });
}

/** A long matrix in pieces: what is looked at is fetched, what was looked at is kept for a while. */

/**
 * @typedef {object} Tile
 * @property {number} first its first row in the recording.
 * @property {number} rows
 * @property {number} columns
 * @property {Float32Array} values row by row.
 * @property {Map<string, any>} derived what others computed from it, by name.
 */

const AT_A_TIME = 3;

export class Tiles {
  /**
   * @param {object} source
   * @param {number} source.rows of the whole matrix.
   * @param {number} source.step_s row i is centred on i * step_s.
   * @param {number} source.rowsPerTile
   * @param {number} source.kept how many tiles are kept.
   * @param {(from_s: number, to_s: number | undefined, signal: AbortSignal) => Promise<any>} source.load
   * @param {() => void} source.onChange called when a tile has come.
   * @param {(error: unknown) => void} source.onError
   */
  constructor({ rows, step_s, rowsPerTile, kept, load, onChange, onError }) {
    Object.assign(this, { rows, step_s, rowsPerTile, kept, load, onChange, onError });
    /** @type {Map<number, Tile>} the one used longest ago first. */
    this.tiles = new Map();
    /** @type {number[]} wanted and not yet asked for, the most urgent first. */
    this.queue = [];
    this.running = new Set();
    this.failed = new Set();
    this.abort = new AbortController();
  }

  /** Fetch again what could not be fetched, when it is looked at. */
  retry() {
    this.failed.clear();
  }

  /** Stop fetching: another recording is looked at. */
  close() {
    this.abort.abort();
    this.queue = [];
  }

  /**
   * The tiles that are there of a stretch; those that are not are fetched.
   * @param {number} from_s
   * @param {number} to_s
   * @returns {Tile[]}
   */
  within(from_s, to_s) {
    const first = this.#tileAt(from_s);
    const last = this.#tileAt(to_s);
    const found = [];
    this.queue = [];
    for (let index = first; index <= last; index++) {
      const tile = this.tiles.get(index);
      if (tile) {
        this.tiles.delete(index);
        this.tiles.set(index, tile); // used last
        found.push(tile);
      } else if (!this.running.has(index) && !this.failed.has(index)) this.queue.push(index);
    }
    this.#next();
    return found;
  }

  /** Whether all of a stretch is there. @param {number} from_s @param {number} to_s */
  has(from_s, to_s) {
    for (let index = this.#tileAt(from_s); index <= this.#tileAt(to_s); index++)
      if (!this.tiles.has(index)) return false;
    return true;
  }

  /** The row whose centre is nearest to a time. @param {number} time_s */
  rowAt(time_s) {
    return Math.min(Math.max(Math.round(time_s / this.step_s), 0), this.rows - 1);
  }

  /**
   * One row, if it is there.
   * @param {number} row
   * @returns {Float32Array | null}
   */
  row(row) {
    const tile = this.tiles.get(Math.floor(row / this.rowsPerTile));
    if (!tile) return null;
    const start = (row - tile.first) * tile.columns;
    return tile.values.subarray(start, start + tile.columns);
  }

  #tileAt(time_s) {
    return Math.floor(this.rowAt(time_s) / this.rowsPerTile);
  }

  #next() {
    while (this.running.size < AT_A_TIME && this.queue.length > 0) this.#fetch(this.queue.shift());
  }

  async #fetch(index) {
    this.running.add(index);
    const first = index * this.rowsPerTile;
    const end = first + this.rowsPerTile;
    try {
      const to_s = end < this.rows ? end * this.step_s : undefined;
      const matrix = await this.load(first * this.step_s, to_s, this.abort.signal);
      this.tiles.set(index, { first, ...matrix, derived: new Map() });
      for (const oldest of this.tiles.keys()) {
        if (this.tiles.size <= this.kept) break;
        this.tiles.delete(oldest);
      }
      this.onChange();
    } catch (error) {
      if (this.abort.signal.aborted) return;
      this.failed.add(index);
      this.onError(error);
    } finally {
      this.running.delete(index);
    }
    this.#next();
  }
}

/**
 * What follows from a tile, computed once.
 * @template T
 * @param {Tile} tile
 * @param {string} name
 * @param {() => T} compute
 * @returns {T}
 */
export function derived(tile, name, compute) {
  if (!tile.derived.has(name)) tile.derived.set(name, compute());
  return tile.derived.get(name);
}

/** The last seconds of the posteriors of a live stream, as tiles; older ones are dropped. */

/** Few, as a tile is redrawn whenever one of its rows changes. */
const ROWS = 25;

export class LivePosteriors {
  /**
   * @param {number} columns V, with the blank.
   * @param {number} step_s frame i is centred on i * step_s.
   * @param {number} kept_s
   */
  constructor(columns, step_s, kept_s) {
    Object.assign(this, { columns, step_s, kept: Math.ceil(kept_s / step_s) });
    /** @type {import("../tiles.js").Tile[]} in order; there may be gaps between them where no connection received the audio. */
    this.tiles = [];
    /** Incremented at each change. */
    this.version = 0;
  }

  /** The frame after the last. */
  get rows() {
    const last = this.tiles[this.tiles.length - 1];
    return last ? last.first + last.rows : 0;
  }

  /**
   * Add frames, or replace known ones.
   * @param {number} first
   * @param {number[][]} probs (frames, columns)
   */
  put(first, probs) {
    const touched = new Set();
    probs.forEach((row, place) => {
      const frame = first + place;
      const tile = frame < this.rows ? this.#tileOf(frame) : this.#tileFor(frame);
      if (!tile) return; // dropped already
      tile.values.set(row, (frame - tile.first) * this.columns);
      touched.add(tile);
    });
    for (const tile of touched) tile.derived.clear();
    this.version++;
    while (this.tiles.length && this.tiles[0].first + ROWS <= this.rows - this.kept) this.tiles.shift();
  }

  /** @param {number} from_s @param {number} to_s */
  within(from_s, to_s) {
    const [first, end] = [Math.floor(from_s / this.step_s), Math.ceil(to_s / this.step_s) + 1];
    return this.tiles.filter((tile) => tile.first < end && tile.first + tile.rows > first);
  }

  /** Nothing is being fetched: what is missing does not exist. */
  has() {
    return true;
  }

  /** The frame whose centre is nearest to a time. @param {number} time_s */
  rowAt(time_s) {
    return Math.min(Math.max(Math.round(time_s / this.step_s), 0), Math.max(this.rows - 1, 0));
  }

  #tileOf(frame) {
    return this.tiles.find((tile) => frame >= tile.first && frame < tile.first + tile.rows);
  }

  /** A tile with room for a new frame. */
  #tileFor(frame) {
    let last = this.tiles[this.tiles.length - 1];
    if (!last || frame > last.first + last.rows || last.rows === ROWS) {
      const { columns } = this;
      const values = new Float32Array(ROWS * columns);
      last = { first: frame, rows: 0, columns, values, derived: new Map() };
      this.tiles.push(last);
    }
    last.rows++;
    return last;
  }
}

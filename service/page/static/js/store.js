/** What the page knows, in one place; modules listen for the parts that they show. */

/**
 * @typedef {object} Recording
 * @property {string} name of the file.
 * @property {Blob} blob its bytes.
 * @property {string} id under which the service keeps what it heard.
 * @property {string} key the same whenever the recording is heard; see kept-corrections.js.
 * @property {string} model which one transcribed it.
 * @property {number} duration_s
 * @property {number} frames T', rows of the posteriors.
 * @property {number} vectors T, rows of X.
 */

export class Store {
  /** @param {Record<string, any>} state */
  constructor(state) {
    this.state = state;
    /** @type {{keys: string[], listen: (state: Record<string, any>) => void}[]} */
    this.listeners = [];
  }

  /**
   * Call `listen` whenever one of `keys` has been set.
   * @param {string[]} keys
   * @param {(state: Record<string, any>) => void} listen
   */
  on(keys, listen) {
    this.listeners.push({ keys, listen });
  }

  /**
   * Change parts of the state; who listens to a part that became another value is told once.
   * @param {Record<string, any>} patch
   */
  set(patch) {
    const changed = Object.keys(patch).filter((key) => this.state[key] !== patch[key]);
    if (changed.length === 0) return;
    this.state = { ...this.state, ...patch };
    for (const { keys, listen } of this.listeners) {
      if (keys.some((key) => changed.includes(key))) listen(this.state);
    }
  }
}

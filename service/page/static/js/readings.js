/** The same posteriors, read by one decoder or another. */

import { byId } from "./dom.js";

export const N_BEST = 5;

/** By name: what to ask for, what it is compared with, and what it does, in words. */
export const DECODERS = {
  greedy: {
    query: { decoder: "greedy" },
    baseline: null,
    before: "",
    about: "Greedy: the likeliest symbol of each frame, repeats merged, blanks dropped.",
  },
  beam: {
    query: { decoder: "beam", language_model: "false", n_best: N_BEST },
    baseline: "greedy",
    before: "greedy decoding",
    about: "Beam: the likeliest text, summed over all the paths that spell it.",
  },
  lm: {
    query: { decoder: "beam", n_best: N_BEST },
    baseline: "beam",
    before: "the beam alone",
    about: "With the language model: texts are scored by their sound and by their words.",
  },
};

export class Readings {
  /**
   * @param {import("./store.js").Store} store
   * @param {import("./api.js").Api} api
   * @param {(error: unknown, again: () => void) => void} onError
   */
  constructor(store, api, onError) {
    Object.assign(this, { store, api, onError });
    /** @type {Map<string, Promise<any>>} by decoder, weight and recording. */
    this.known = new Map();
    for (const radio of this.#radios()) radio.addEventListener("change", () => this.choose(radio.value));
  }

  /** Begin with what POST /transcribe answered. @param {any} answer */
  begin(answer) {
    this.known.clear();
    const decoder = answer.decoder === "beam + LM" ? "lm" : answer.decoder;
    const lm = decoder === "lm";
    for (const radio of this.#radios()) {
      radio.checked = radio.value === decoder;
      if (radio.value === "lm") radio.disabled = !lm;
    }
    this.store.set({ decoder, hasLm: lm, lmWeight: null, reading: answer, baseline: null });
    this.known.set(this.#key(decoder), Promise.resolve(answer));
    this.#compare(decoder);
  }

  /**
   * Read again.
   * @param {string} decoder
   * @param {number | null} [lmWeight] the language model's; null for the service's own.
   */
  async choose(decoder, lmWeight = null) {
    const { id } = this.store.state.recording;
    const text = byId("text");
    text.setAttribute("aria-busy", "true");
    try {
      const reading = await this.#read(decoder, lmWeight);
      if (this.store.state.recording?.id !== id) return;
      this.store.set({ decoder, lmWeight, reading, baseline: null });
      this.#compare(decoder);
    } catch (error) {
      this.onError(error, () => this.choose(decoder, lmWeight));
    } finally {
      text.removeAttribute("aria-busy");
    }
  }

  /** The query that gives the reading that is shown. */
  get query() {
    const { decoder, lmWeight } = this.store.state;
    return { ...DECODERS[decoder].query, ...(lmWeight === null ? {} : { lm_weight: lmWeight }) };
  }

  /** @returns {HTMLInputElement[]} */
  #radios() {
    return Array.from(document.querySelectorAll('input[name="decoder"]'));
  }

  async #compare(decoder) {
    const { baseline } = DECODERS[decoder];
    const { id } = this.store.state.recording;
    if (!baseline) return;
    try {
      const found = await this.#read(baseline, null);
      const { state } = this.store;
      if (state.recording?.id === id && state.decoder === decoder) this.store.set({ baseline: found });
    } catch (error) {
      this.onError(error, () => this.#compare(decoder));
    }
  }

  #key(decoder, lmWeight = null) {
    return `${decoder} ${lmWeight}`;
  }

  #read(decoder, lmWeight) {
    const key = this.#key(decoder, lmWeight);
    if (!this.known.has(key)) {
      const query = { ...DECODERS[decoder].query, timestamps: "char", lm_weight: lmWeight ?? undefined };
      const asked = this.api.json(`transcriptions/${this.store.state.recording.id}/reading`, query);
      asked.catch(() => this.known.delete(key));
      this.known.set(key, asked);
    }
    return this.known.get(key);
  }
}

/** The text that is shown: the reading in a style, with what somebody corrected in it. */

import { byId } from "./dom.js";
import { KeptCorrections } from "./kept-corrections.js";
import { correctedToken, tokensOf } from "./tokens.js";

const HINT = "Double click a word, or press Enter on it, to correct it.";
const KEPT = "kept in this browser only";
const NOT_KEPT = "lost when this page is left: the browser keeps nothing more for it";

export class Corrections {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    this.kept = new KeptCorrections();
    /** @type {Map<number, string>} the corrected tokens of the text that is shown, by their places. */
    this.words = new Map();
    this.saved = true;
    byId("undo-corrections").addEventListener("click", () => this.undo());
    store.on(["reading", "style"], () => this.#begin());
    store.on(["tokens"], () => this.#tell());
  }

  /**
   * Give a token another text.
   * @param {number} place of the token.
   * @param {string} word nothing leaves it out; its own text takes a correction back.
   */
  correct(place, word) {
    if (word === this.store.state.original[place].word) this.words.delete(place);
    else this.words.set(place, word);
    this.#save();
  }

  /** Take all corrections of the text that is shown back. */
  undo() {
    this.words.clear();
    this.#save();
    byId("transcript-title").focus({ preventScroll: true }); // the button that had the focus is gone
  }

  /** Nothing of a recording is kept any more. @param {import("./store.js").Recording} recording */
  forget({ key }) {
    this.kept.remove(key);
  }

  /** Another text, with the corrections that it had when it was last seen. */
  #begin() {
    const { reading, style, recording } = this.store.state;
    const original = reading ? tokensOf(reading, style) : [];
    this.words = reading ? this.kept.read(recording.key, this.#text, original) : new Map();
    this.saved = true;
    this.#show(original);
  }

  /** Which of a recording's texts is shown. */
  get #text() {
    const { decoder, lmWeight, style } = this.store.state;
    return [decoder, lmWeight ?? "as shipped", style].join(", ");
  }

  #save() {
    const { recording, original } = this.store.state;
    this.saved = this.kept.write(recording.key, this.#text, this.words, original);
    this.#show(original);
  }

  #show(original) {
    const tokens = original.map((token, place) =>
      this.words.has(place) ? correctedToken(token, this.words.get(place)) : token,
    );
    this.store.set({ original, tokens });
  }

  #tell() {
    const count = this.words.size;
    const place = byId("corrections");
    place.hidden = this.store.state.tokens.length === 0;
    byId("undo-corrections").hidden = count === 0;
    byId("corrections-about").textContent =
      count === 0
        ? HINT
        : `${count === 1 ? "One word" : `${count} words`} corrected, ${this.saved ? KEPT : NOT_KEPT}.`;
  }
}

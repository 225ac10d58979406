/** A word as a field to type in, in the word's place. */

import { el } from "./dom.js";

export class WordEditor {
  /**
   * Begin.
   * @param {HTMLElement} button the word's: hidden until the field is done.
   * @param {import("./tokens.js").Token} token
   * @param {(word: string | null) => void} onDone the text, or null if it stays what it was.
   */
  constructor(button, token, onDone) {
    Object.assign(this, { button, onDone });
    this.open = true;
    this.input = /** @type {HTMLInputElement} */ (
      el("input", {
        type: "text",
        class: "word-input",
        value: token.word,
        autocomplete: "off",
        "aria-label": `Correct “${token.word || token.original}”`,
        on: { input: () => this.#fit() },
      })
    );
    this.place = el("span", { class: "word-editor" }, this.input, this.#undoButton(token));
    this.place.addEventListener("keydown", (event) => this.#key(event));
    this.place.addEventListener("focusout", (event) => {
      if (!this.place.contains(/** @type {Node | null} */ (event.relatedTarget))) this.close(this.#word);
    });
    this.#fit();
    button.before(this.place);
    this.input.focus();
    this.input.select();
    button.hidden = true;
  }

  /**
   * Put the word back.
   * @param {string | null} word null if it stays what it was.
   */
  close(word) {
    if (!this.open) return;
    this.open = false;
    this.button.hidden = false;
    if (this.place.contains(document.activeElement)) this.button.focus({ preventScroll: true });
    this.place.remove();
    this.onDone(word);
  }

  get #word() {
    return this.input.value.trim().replace(/\s+/g, " ");
  }

  /** Of a word that is corrected already. @param {import("./tokens.js").Token} token */
  #undoButton({ original }) {
    if (original === undefined) return null;
    return el("button", {
      class: "button word-undo",
      type: "button",
      text: `“${original}” again`,
      on: {
        pointerdown: (event) => event.preventDefault(), // the field keeps the focus, and stays
        click: () => this.close(original),
      },
    });
  }

  #key(event) {
    if (event.isComposing) return; // Enter and Escape are the input method's
    if (event.key === "Escape") this.close(null);
    else if (event.key === "Enter" && event.target === this.input) this.close(this.#word);
    else return;
    event.preventDefault();
  }

  #fit() {
    this.input.size = Math.max(this.input.value.length, 2);
  }
}

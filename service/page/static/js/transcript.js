/** The text, word by word: how sure each is, how it sounds, and what another decoder made of it. */

import { copy } from "./clipboard.js";
import { doubtColour } from "./colours.js";
import { diffWords } from "./diff.js";
import { byId, el, fill } from "./dom.js";
import { clock, counted, percent } from "./format.js";
import { doubtOf } from "./lanes/spans.js";
import { DECODERS } from "./readings.js";
import { changesOfTokens, textOf } from "./tokens.js";
import { revealing } from "./viewport.js";
import { WordEditor } from "./word-editor.js";

export class Transcript {
  /**
   * @param {import("./store.js").Store} store
   * @param {import("./player.js").Player} player
   * @param {import("./corrections.js").Corrections} corrections
   */
  constructor(store, player, corrections) {
    Object.assign(this, { store, player, corrections });
    /** @type {HTMLElement[]} a button a token. */
    this.buttons = [];
    /** @type {import("./tokens.js").Token[]} what the buttons are of, before corrections. */
    this.original = [];
    /** @type {import("./tokens.js").Token[]} what the buttons look like. */
    this.shown = [];
    /** @type {WordEditor | null} */
    this.editor = null;
    this.stale = false;
    const button = byId("copy-text");
    button.addEventListener("click", () => copy(textOf(store.state.tokens), button, byId("text")));
    store.on(["theme"], () => (this.shown = [])); // shades are others
    store.on(["tokens", "theme"], () => this.#showWords());
    store.on(["reading", "original", "baseline"], () => this.#show());
    store.on(["play"], () => this.#follow());
  }

  /** Buttons stay where they are while their text is corrected, so the focus does, too. */
  #showWords() {
    const { tokens, original } = this.store.state;
    if (original !== this.original) {
      this.editor?.close(null);
      this.original = original;
      this.buttons = tokens.map((_, place) => this.#button(place));
      this.shown = [];
    }
    tokens.forEach((token, place) => token !== this.shown[place] && dress(this.buttons[place], token));
    this.shown = tokens;
    byId("copy-text").hidden = tokens.length === 0;
  }

  #show() {
    const { reading, baseline, decoder, tokens } = this.store.state;
    this.stale = this.editor !== null;
    if (!reading || this.stale) return; // nothing moves while somebody types
    const place = byId("text");
    const focused = this.buttons.find((button) => button === document.activeElement);
    if (tokens.length === 0)
      fill(
        place,
        el("p", { class: "muted", text: "No word was recognised: the blank is the likeliest in every frame." }),
      );
    else if (baseline) this.#showWithChanges(place, baseline, reading);
    else fill(place, ...this.buttons.flatMap((button) => [button, " "]));
    focused?.focus({ preventScroll: true });
    byId("text-facts").textContent = reading.words.length
      ? `${counted(reading.words.length)} words, mean confidence ${percent(reading.confidence)}`
      : "";
    if (!baseline) byId("changes").textContent = DECODERS[decoder].about;
  }

  #button(place) {
    return el("button", {
      class: "word",
      type: "button",
      on: {
        click: () => this.#hear(this.store.state.tokens[place]),
        dblclick: () => this.#edit(place),
        keydown: (event) => {
          if (event.key !== "Enter") return;
          event.preventDefault(); // a button would take it for a click
          this.#edit(place);
        },
      },
    });
  }

  #hear(token) {
    const { view, recording } = this.store.state;
    this.store.set({
      cursor_s: (token.start_s + token.end_s) / 2,
      view: revealing(view, token.start_s, token.end_s, recording.duration_s),
    });
    this.player.play(Math.max(token.start_s - 0.03, 0), token.end_s + 0.06);
  }

  #edit(place) {
    this.editor = new WordEditor(this.buttons[place], this.store.state.tokens[place], (word) => {
      this.editor = null;
      if (word !== null) this.corrections.correct(place, word);
      if (this.stale) this.#show();
    });
  }

  /** Words that differ from the other reading stand with the other's above them. */
  #showWithChanges(place, baseline, reading) {
    const before = baseline.words.map((word) => word.word);
    const heard = reading.words.map((word) => word.word);
    const changes = changesOfTokens(diffWords(before, heard), this.original);
    const parts = changes.map(({ kind, before: old, after }) => {
      const now = after.flatMap((at) => [this.buttons[at], " "]);
      if (kind === "same") return el("span", {}, ...now);
      const was = old.map((at) => before[at]).join(" ");
      return el(
        "ruby",
        { class: "change" },
        ...(after.length ? now : [el("span", { class: "gone", text: "∅" })]),
        el("rt", {}, el("span", { class: was ? "was" : "", text: was || "＋" })),
      );
    });
    fill(place, ...parts);
    const count = changes.filter(({ kind }) => kind === "changed").length;
    const other = DECODERS[this.store.state.decoder];
    byId("changes").textContent =
      `${other.about} ${count === 0 ? `The text is the same as that of ${other.before}.` : `It changed ${count === 1 ? "one place" : `${count} places`}; above ${count === 1 ? "it" : "each"} stands the text of ${other.before}.`}`;
  }

  /** Mark the word that is heard at this moment. */
  #follow() {
    const { tokens, play } = this.store.state;
    const spoken = (token) => play.playing && play.at_s >= token.start_s && play.at_s < token.end_s;
    const heard = this.buttons[tokens.findIndex(spoken)];
    if (heard === this.heard) return;
    this.heard?.classList.remove("heard");
    heard?.classList.add("heard");
    this.heard = heard;
  }
}

/** Let a button look like its token. */
function dress(button, token) {
  const { word, original, start_s, end_s, confidence } = token;
  const corrected = original !== undefined;
  const dark = document.documentElement.dataset.theme === "dark";
  const what = corrected ? `heard as “${original}”` : `confidence ${percent(confidence)}`;
  button.textContent = word || "∅";
  button.title = `${clock(start_s)} to ${clock(end_s)}, ${what}: click to play it, double click or Enter to correct it`;
  button.classList.toggle("corrected", corrected);
  button.classList.toggle("left-out", word === "");
  button.style.setProperty("--doubt", doubtColour(doubtOf(token, false), dark));
}

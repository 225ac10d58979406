/** The text, word by word: how sure each is, how it sounds, and what another decoder made of it. */

import { doubtColour } from "./colours.js";
import { diffWords } from "./diff.js";
import { byId, el, fill } from "./dom.js";
import { clock, counted, percent } from "./format.js";
import { DECODERS } from "./readings.js";
import { revealing } from "./viewport.js";

export class Transcript {
  /**
   * @param {import("./store.js").Store} store
   * @param {import("./player.js").Player} player
   */
  constructor(store, player) {
    this.store = store;
    this.player = player;
    /** @type {HTMLElement[]} a button a word of the reading. */
    this.buttons = [];
    store.on(["reading", "baseline", "theme"], () => this.#show());
    store.on(["play"], () => this.#follow());
  }

  #show() {
    const { reading, baseline } = this.store.state;
    if (!reading) return;
    this.buttons = reading.words.map((word) => this.#button(word));
    const place = byId("text");
    if (reading.words.length === 0)
      fill(
        place,
        el("p", { class: "muted", text: "No word was recognised: the blank is the likeliest in every frame." }),
      );
    else if (baseline) this.#showWithChanges(place, baseline, reading);
    else fill(place, ...this.buttons.flatMap((button) => [button, " "]));
    byId("text-facts").textContent = reading.words.length
      ? `${counted(reading.words.length)} words, mean confidence ${percent(reading.confidence)}`
      : "";
    if (!baseline) byId("changes").textContent = DECODERS[this.store.state.decoder].about;
  }

  #button(word) {
    const dark = document.documentElement.dataset.theme === "dark";
    return el("button", {
      class: "word",
      type: "button",
      text: word.word,
      title: `${clock(word.start_s)} to ${clock(word.end_s)}, confidence ${percent(word.confidence)}: click to play it`,
      style: { "--doubt": doubtColour(1 - word.confidence, dark) },
      on: { click: () => this.#hear(word) },
    });
  }

  #hear(word) {
    const { view, recording } = this.store.state;
    this.store.set({
      cursor_s: (word.start_s + word.end_s) / 2,
      view: revealing(view, word.start_s, word.end_s, recording.duration_s),
    });
    this.player.play(Math.max(word.start_s - 0.03, 0), word.end_s + 0.06);
  }

  /** Words that differ from the other reading stand with the other's above them. */
  #showWithChanges(place, baseline, reading) {
    const before = baseline.words.map((word) => word.word);
    const changes = diffWords(
      before,
      reading.words.map((word) => word.word),
    );
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
    const { reading, play } = this.store.state;
    const spoken = (word) => play.playing && play.at_s >= word.start_s && play.at_s < word.end_s;
    const heard = reading && this.buttons[reading.words.findIndex(spoken)];
    if (heard === this.heard) return;
    this.heard?.classList.remove("heard");
    heard?.classList.add("heard");
    this.heard = heard;
  }
}

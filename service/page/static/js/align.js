/** Align mode: a text that is known, laid over the sound; where each letter lies, and how well it fits. */

import { doubtColour } from "./colours.js";
import { byId, el, fill, spoken, visible } from "./dom.js";
import { clock, percent, signed } from "./format.js";
import { doubtOf } from "./lanes/spans.js";
import { clearProblem, showProblem } from "./problems.js";
import { revealing } from "./viewport.js";

export class Align {
  /**
   * @param {import("./store.js").Store} store
   * @param {import("./api.js").Api} api
   * @param {import("./player.js").Player} player
   */
  constructor(store, api, player) {
    Object.assign(this, { store, api, player });
    this.input = /** @type {HTMLTextAreaElement} */ (byId("align-text"));
    byId("align-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#align();
    });
    byId("align-form").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        this.#align();
      }
    });
    store.on(["alignment", "theme"], () => this.#show());
    store.on(["recording"], () => this.#begin());
  }

  /** Another recording has another text. */
  #begin() {
    this.abort?.abort();
    clearProblem(byId("align-problem"));
    this.input.value = this.store.state.recording?.text ?? "";
    this.store.set({ alignment: null });
  }

  async #align() {
    const { recording } = this.store.state;
    const place = byId("align-problem");
    const button = /** @type {HTMLButtonElement} */ (byId("align-button"));
    clearProblem(place);
    this.abort?.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    button.disabled = true;
    byId("align-status").textContent = "Aligning …";
    try {
      const form = new FormData();
      form.set("file", recording.blob, recording.name);
      form.set("text", this.input.value);
      form.set("model", recording.model);
      const alignment = await this.api.upload("align", form, { signal });
      this.store.set({ alignment, alignedText: this.input.value, mode: "align" });
    } catch (error) {
      if (!signal.aborted) showProblem(place, error, error.status === 422 ? null : () => this.#align());
    } finally {
      button.disabled = false;
      byId("align-status").textContent = "";
    }
  }

  #show() {
    const { alignment } = this.store.state;
    byId("aligned").hidden = !alignment;
    if (!alignment) return;
    const { text, path, free_path: free } = alignment.log_prob;
    fill(
      byId("align-facts"),
      fact("log P(text | recording)", signed(text), "over all paths that spell it"),
      fact("best path", signed(path), "the one that is drawn"),
      fact("free path", signed(free), "the best that may spell anything"),
    );
    fill(byId("aligned-words"), ...alignment.words.map((word) => this.#row(word)));
  }

  #row(word) {
    const dark = document.documentElement.dataset.theme === "dark";
    const letters = word.characters.map((letter) =>
      el("span", {
        class: "letter",
        text: visible(letter.character),
        title: `${spoken(letter.character)}: ${clock(letter.start_s)} to ${clock(letter.end_s)}, frames ${letter.start_frame} to ${letter.end_frame - 1}, confidence ${percent(letter.confidence)}, score ${signed(letter.score)}`,
        style: { "--doubt": doubtColour(doubtOf(letter, true), dark) },
      }),
    );
    return el(
      "tr",
      {},
      el(
        "th",
        { scope: "row" },
        el("button", {
          class: "word",
          type: "button",
          text: word.word,
          title: "play it",
          style: { "--doubt": doubtColour(doubtOf(word, true), dark) },
          on: { click: () => this.#hear(word) },
        }),
      ),
      el("td", { class: "number", text: `${clock(word.start_s)} – ${clock(word.end_s)}` }),
      el("td", { class: "letters" }, ...letters),
      el("td", { class: "number", text: percent(word.confidence) }),
      el("td", { class: "number", text: signed(word.gop) }),
      el(
        "td",
        { class: "bars" },
        el(
          "span",
          { class: "parts" },
          el("span", { class: "part part-gop", style: { "--share": String(doubtOf(word, true)) } }),
        ),
      ),
    );
  }

  #hear(word) {
    const { view, recording } = this.store.state;
    this.store.set({
      mode: "align",
      cursor_s: (word.start_s + word.end_s) / 2,
      view: revealing(view, word.start_s, word.end_s, recording.duration_s),
    });
    this.player.play(Math.max(word.start_s - 0.03, 0), word.end_s + 0.06);
  }
}

function fact(name, value, about) {
  return el(
    "div",
    { class: "fact" },
    el("dt", { text: name }),
    el(
      "dd",
      {},
      el("span", { class: "fact-value", text: value }),
      el("span", { class: "muted", text: ` ${about}` }),
    ),
  );
}

/** The text, one utterance a line; words that may still change are grey. */

import { doubtColour } from "../colours.js";
import { byId, el, fill } from "../dom.js";
import { clock } from "../format.js";
import { tokensOf } from "../tokens.js";

/** Lines that the browser renders or skips together. */
const PAGE_LINES = 30;

export class LiveText {
  /**
   * @param {number} kept_s how long words are kept for the time axis.
   * @param {import("../tokens.js").Style} style of utterances that have ended.
   */
  constructor(kept_s, style) {
    this.kept_s = kept_s;
    this.style = style;
    this.finals = byId("live-finals");
    this.partial = byId("live-partial");
    /** The last words, for the time axis. @type {any[]} */
    this.tokens = [];
    this.said = [];
    /** Confidences of all words, by their elements. @type {[HTMLElement, number][]} */
    this.shaded = [];
    fill(this.finals);
    fill(this.partial);
    this.#hint();
  }

  /** All finals, a line each. */
  get text() {
    return Array.from(this.finals.querySelectorAll(".utterance"), (line) => line.textContent.trim()).join("\n");
  }

  /** An utterance so far. @param {any} message @param {number} base_s */
  showPartial({ words, confirmed }, base_s) {
    const tokens = words.map((word, place) => ({ ...moved(word, base_s), tentative: place >= confirmed }));
    const text = (from, to) =>
      words
        .slice(from, to)
        .map(({ word }) => `${word} `)
        .join("");
    fill(
      this.partial,
      text(0, confirmed),
      el("span", { class: "tentative", text: text(confirmed, words.length) }),
    );
    this.#hint();
    this.#keep([], tokens);
  }

  /** An utterance that has ended. @param {any} message @param {number} base_s */
  showFinal(message, base_s) {
    const tokens = tokensOf(message, this.style).map((token) => moved(token, base_s));
    fill(this.partial);
    if (tokens.length) this.#append(this.#line(tokens, base_s + message.start_s));
    this.#hint();
    this.#keep(tokens, []);
  }

  /** Audio that no connection received. @param {number} from_s @param {number} to_s */
  showGap(from_s, to_s) {
    const text = `From ${clock(from_s, 0)} to ${clock(to_s, 0)} no words were received: they come with the transcription.`;
    this.#append(el("p", { class: "muted gap", text }));
    this.#hint();
  }

  /** Update the shades after a change of theme. */
  shade() {
    const dark = document.documentElement.dataset.theme === "dark";
    for (const [word, confidence] of this.shaded)
      word.style.setProperty("--doubt", doubtColour(1 - confidence, dark));
  }

  #append(line) {
    const last = this.finals.lastElementChild;
    if (last && last.childElementCount < PAGE_LINES) last.append(line);
    else this.finals.append(el("div", { class: "page" }, line));
  }

  #line(tokens, start_s) {
    const dark = document.documentElement.dataset.theme === "dark";
    const words = tokens.map(({ word, confidence }) =>
      el("span", { class: "said", text: word, style: { "--doubt": doubtColour(1 - confidence, dark) } }),
    );
    words.forEach((word, place) => this.shaded.push([word, tokens[place].confidence]));
    return el(
      "p",
      { class: "utterance", "data-start": clock(start_s, 0) },
      ...words.flatMap((word) => [word, " "]),
    );
  }

  #hint() {
    byId("live-hint").hidden = this.finals.hasChildNodes() || this.partial.hasChildNodes();
  }

  #keep(finals, partial) {
    this.said.push(...finals);
    const last_s = [...this.said, ...partial].reduce((last, { end_s }) => Math.max(last, end_s), 0);
    this.said = this.said.filter(({ end_s }) => end_s > last_s - this.kept_s);
    this.tokens = [...this.said, ...partial];
  }
}

/** A word of a message on the recording's clock. */
function moved(word, base_s) {
  return { ...word, start_s: base_s + word.start_s, end_s: base_s + word.end_s };
}

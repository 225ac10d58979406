/** The texts that came nearest, and what each one's score is made of. */

import { diffWords } from "./diff.js";
import { byId, el, fill } from "./dom.js";
import { signed } from "./format.js";

const PARTS = [
  ["acoustic", "sound", "how well the text agrees with the sound"],
  ["lm", "language", "how likely its words are, by the language model's weight"],
  ["bonus", "bonus", "penalties of words that the language model doesn't know, and boosts"],
];

export class Hypotheses {
  /**
   * @param {import("./store.js").Store} store
   * @param {import("./readings.js").Readings} readings
   */
  constructor(store, readings) {
    this.store = store;
    const slider = /** @type {HTMLInputElement} */ (byId("lm-weight"));
    slider.addEventListener(
      "input",
      () => (byId("lm-weight-value").textContent = Number(slider.value).toFixed(1)),
    );
    slider.addEventListener("change", () => readings.choose("lm", Number(slider.value)));
    byId("lm-weight-reset").addEventListener("click", () => readings.choose("lm"));
    store.on(["reading"], () => this.#show());
  }

  #show() {
    const { reading, decoder } = this.store.state;
    if (!reading) return;
    const found = reading.hypotheses;
    byId("lm-controls").hidden = decoder !== "lm";
    byId("no-hypotheses").hidden = found.length > 0;
    byId("hypotheses-table").hidden = found.length === 0;
    if (found.length === 0) return;
    const weight = decoder === "lm" ? weightOf(found) : 0;
    this.#showWeight(weight);
    const parts = found.map((one) => ({ acoustic: one.acoustic, lm: weight * one.lm, bonus: one.bonus }));
    const worst = Math.max(
      ...parts.map((one) => PARTS.reduce((sum, [name]) => sum + Math.abs(one[name]), 0)),
    );
    const best = found[0].text.split(" ");
    fill(byId("hypotheses"), ...found.map((one, rank) => row(one, rank, parts[rank], worst, best)));
  }

  #showWeight(weight) {
    const slider = /** @type {HTMLInputElement} */ (byId("lm-weight"));
    slider.value = weight.toFixed(1);
    byId("lm-weight-value").textContent = weight.toFixed(1);
  }
}

/** The weight that score = acoustic + weight * lm + bonus was made with. */
function weightOf(found) {
  const one = found.find(({ lm }) => Math.abs(lm) > 1e-3);
  return one ? Math.max((one.score - one.acoustic - one.bonus) / one.lm, 0) : 0;
}

function row(one, rank, parts, worst, best) {
  const bars = PARTS.map(([name, , about]) =>
    el("span", {
      class: `part part-${name}`,
      title: about,
      style: { "--share": String(Math.abs(parts[name]) / worst) },
    }),
  );
  return el(
    "tr",
    {},
    el("td", { class: "rank", text: String(rank + 1) }),
    el(
      "td",
      { class: "hypothesis" },
      ...(one.text ? marked(one.text.split(" "), best) : [el("span", { class: "muted", text: "(nothing)" })]),
    ),
    el("td", { class: "number", text: signed(one.score) }),
    ...PARTS.map(([name]) => el("td", { class: "number", text: signed(parts[name]) })),
    el(
      "td",
      { class: "bars" },
      el(
        "span",
        {
          class: "parts",
          role: "img",
          "aria-label": PARTS.map(([name, title]) => `${title} ${signed(parts[name])}`).join(", "),
        },
        ...bars,
      ),
    ),
  );
}

/** Words that the best text has otherwise are marked. */
function marked(words, best) {
  return diffWords(best, words).flatMap(({ kind, after }) => {
    const text = after.map((at) => words[at]).join(" ");
    if (!text) return [];
    return [kind === "same" ? text : el("mark", { text }), " "];
  });
}

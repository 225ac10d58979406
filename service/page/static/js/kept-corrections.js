/** Corrections in the browser's own store: of the same recording, heard again, they are there again. */

import { browserStorage, isLasting } from "./storage.js";

const ITEM = "otoscope-corrections";
const MOST_RECORDINGS = 100;

/**
 * @typedef {Record<string, {was: string, word: string}>} Words by places of tokens.
 * @typedef {Record<string, {changed_ms: number, texts: Record<string, Words>}>} Kept by recordings' keys.
 */

export class KeptCorrections {
  /**
   * @param {string} key of the recording, from `keyOf`.
   * @param {string} text which of its texts.
   * @param {import("./tokens.js").Token[]} original the text's words.
   * @returns {Map<number, string>} words by places, those that were corrected in this very text.
   */
  read(key, text, original) {
    const words = Object.entries(load()[key]?.texts[text] ?? {});
    return new Map(
      words
        .filter(([place, { was }]) => original[place]?.word === was)
        .map(([place, { word }]) => [Number(place), word]),
    );
  }

  /**
   * Keep a text's corrections, and those of no more than the last recordings.
   * @param {string} key
   * @param {string} text
   * @param {Map<number, string>} words by places.
   * @param {import("./tokens.js").Token[]} original
   * @returns {boolean} whether they outlast the page.
   */
  write(key, text, words, original) {
    const kept = load();
    const one = { changed_ms: Date.now(), texts: { ...kept[key]?.texts } };
    one.texts[text] = Object.fromEntries(
      [...words].map(([place, word]) => [place, { was: original[place].word, word }]),
    );
    if (words.size === 0) delete one.texts[text];
    kept[key] = one;
    if (Object.keys(one.texts).length === 0) delete kept[key];
    return save(kept);
  }

  /** @param {string} key of the recording. */
  remove(key) {
    const kept = load();
    delete kept[key];
    save(kept);
  }
}

/**
 * What names a recording whenever it is heard: its words and their times. Ids are others each time.
 * @param {any} answer of POST /transcribe.
 * @returns {string} 64 bits by FNV-1a (Fowler, Noll, Vo), in two halves that begin differently.
 */
export function keyOf({ duration_s, words }) {
  const text = JSON.stringify([duration_s, words.map(({ word, start_s, end_s }) => [word, start_s, end_s])]);
  const half = (hash) => {
    for (let place = 0; place < text.length; place++)
      hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193);
    return (hash >>> 0).toString(16).padStart(8, "0");
  };
  return half(0x811c9dc5) + half(0x2f0b4c47);
}

/** @returns {Kept} */
function load() {
  return JSON.parse(browserStorage.getItem(ITEM) ?? "{}");
}

/** @param {Kept} kept @returns {boolean} whether it outlasts the page. */
function save(kept) {
  const newest = Object.entries(kept)
    .sort(([, one], [, other]) => other.changed_ms - one.changed_ms)
    .slice(0, MOST_RECORDINGS);
  try {
    browserStorage.setItem(ITEM, JSON.stringify(Object.fromEntries(newest)));
    return isLasting;
  } catch (error) {
    if (error instanceof DOMException && error.name === "QuotaExceededError") return false;
    throw error;
  }
}

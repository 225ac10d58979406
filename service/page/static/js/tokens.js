/** The words of a text as it is shown: heard ones, or written ones that name those they stand for. Pure functions. */

/**
 * @typedef {object} Token a word as it is shown; "10:30 a.m." is one.
 * @property {string} word its text; nothing if it was left out.
 * @property {string} mark the punctuation that `word` ends with, if any.
 * @property {number} start_s of its first heard word.
 * @property {number} end_s of its last.
 * @property {number} confidence the lowest of its heard words.
 * @property {number} start_word the first heard word, by its place.
 * @property {number} end_word the first after them.
 * @property {string} [original] of what somebody corrected: what it was.
 *
 * @typedef {"written" | "verbatim"} Style
 * @typedef {import("./diff.js").Change} Change
 */

/**
 * Whether a reading has written text to show.
 * @param {any} reading the service's answer.
 */
export function isWritten(reading) {
  return (reading?.written ?? null) !== null;
}

/**
 * A reading's words, in order.
 * @param {any} reading the service's answer.
 * @param {Style} style written is as heard where there is no written text.
 * @returns {Token[]}
 */
export function tokensOf(reading, style) {
  const { words } = reading;
  if (style === "verbatim" || !isWritten(reading))
    return words.map(({ word, start_s, end_s, confidence }, place) => {
      return { word, mark: "", start_s, end_s, confidence, start_word: place, end_word: place + 1 };
    });
  return reading.written_tokens.map(({ text, mark, start_word, end_word }) => {
    const heard = words.slice(start_word, end_word);
    return {
      word: text,
      mark,
      start_s: heard[0].start_s,
      end_s: heard[heard.length - 1].end_s,
      confidence: Math.min(...heard.map(({ confidence }) => confidence)),
      start_word,
      end_word,
    };
  });
}

/**
 * A token with another text, and its own times.
 * @param {Token} token
 * @param {string} word nothing leaves it out.
 * @returns {Token}
 */
export function correctedToken(token, word) {
  return { ...token, word, mark: /[.,?!]$/.exec(word)?.[0] ?? "", original: token.original ?? token.word };
}

/** What is read. @param {Token[]} tokens */
export function textOf(tokens) {
  return tokens
    .map(({ word }) => word)
    .filter(Boolean)
    .join(" ");
}

/**
 * Changes of heard words, joined until none cuts a token in two.
 * @param {Change[]} changes from another reading's words to this one's.
 * @param {Token[]} tokens of this reading.
 * @returns {Change[]} the same, but `after` has places of tokens.
 */
export function changesOfTokens(changes, tokens) {
  /** @type {Change[]} */
  const joined = [];
  let [word, token] = [0, 0];
  /** @type {Change} */
  let open = { kind: "same", before: [], after: [] };
  for (const { kind, before, after } of changes) {
    open.before.push(...before);
    if (kind === "changed") open.kind = kind;
    word += after.length;
    while (token < tokens.length && tokens[token].end_word <= word) open.after.push(token++);
    if (token < tokens.length && tokens[token].start_word < word) continue;
    joined.push(open);
    open = { kind: "same", before: [], after: [] };
  }
  return joined;
}

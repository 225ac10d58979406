/** The service's files with corrections put in. Times, cues and line breaks stay as they were. Pure functions. */

import { Problem } from "./problems.js";
import { textOf } from "./tokens.js";

/** @typedef {import("./tokens.js").Token} Token */

/** By response_format; what programs read word by word, a TextGrid, stays as heard. */
const WRITERS = {
  text: (_, tokens) => (textOf(tokens) ? `${textOf(tokens)}\n` : ""),
  srt: (file, tokens) => {
    const write = lineWriter(tokens);
    return cuesOf(file, 2, write)
      .map(([, ...lines], place) => cue([String(place + 1), ...lines]))
      .join("");
  },
  vtt: (file, tokens) => {
    const write = lineWriter(tokens);
    const [header] = file.split("\n\n", 1);
    const cues = cuesOf(file.slice(header.length), 1, (line) => escaped(write(unescaped(line))));
    return [cue([header]), ...cues.map(cue)].join("");
  },
  verbose_json: (file, tokens) => JSON.stringify(correctedAnswer(JSON.parse(file), tokens)),
};

/** Whether files of this format have a place for corrections. @param {string} format */
export function canCorrect(format) {
  return format in WRITERS;
}

/**
 * @param {string} format a response_format that can be corrected.
 * @param {string} file as the service wrote it.
 * @param {Token[]} tokens what is shown, with corrections.
 * @returns {string}
 */
export function correctedFile(format, file, tokens) {
  return WRITERS[format](file, tokens);
}

/** Lines of cues with other text below their heads; cues that have none any more are left out. */
function cuesOf(file, head, write) {
  return file
    .split("\n\n")
    .filter(Boolean)
    .map((block) => {
      const lines = block.split("\n");
      return [...lines.slice(0, head), ...lines.slice(head).map(write).filter(Boolean)];
    })
    .filter(({ length }) => length > head);
}

/** Lines, and the empty one that ends them. @param {string[]} lines */
function cue(lines) {
  return `${lines.join("\n")}\n\n`;
}

/** What was heard stays beside it, with its times; a word that was left out belongs to no token. */
function correctedAnswer(answer, tokens) {
  const write = lineWriter(tokens);
  return {
    ...answer,
    written: textOf(tokens),
    written_tokens: tokens
      .filter(({ word }) => word)
      .map(({ word, mark, start_word, end_word }) => ({ text: word, mark, start_word, end_word })),
    segments: answer.segments
      .map((segment) => ({ ...segment, text: write(segment.text) }))
      .filter(({ text }) => text),
  };
}

/** @param {Token[]} tokens @returns {(line: string) => string} takes a file's lines in order, and gives them corrected. */
function lineWriter(tokens) {
  let place = 0;
  return (line) => {
    const first = place;
    for (let rest = line; rest !== ""; place++) {
      const was = tokens[place]?.original ?? tokens[place]?.word;
      if (was === undefined || !rest.startsWith(was)) throw otherText(was, rest);
      rest = rest.slice(was.length).trimStart();
    }
    return textOf(tokens.slice(first, place));
  };
}

function otherText(expected, found) {
  return new Problem({
    title: "The service's file has another text than the page",
    detail: `Expected “${expected ?? "the end"}”, got “${found}”. Open the recording again.`,
  });
}

function escaped(line) {
  return line.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function unescaped(line) {
  return line.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

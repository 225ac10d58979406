/** Which words differ between two texts. Pure functions. */

/** @typedef {{kind: "same" | "changed", before: number[], after: number[]}} Change places of words in both. */

const MOST_CELLS = 4e6;

/**
 * The least set of words to replace, add or leave out (longest common subsequence).
 * @param {string[]} before
 * @param {string[]} after
 * @returns {Change[]} in order; equal words one by one, others in stretches.
 */
export function diffWords(before, after) {
  if (before.length * after.length > MOST_CELLS) return inBlocks(before, after);
  const width = after.length + 1;
  const lengths = new Uint16Array((before.length + 1) * width);
  for (let row = before.length - 1; row >= 0; row--) {
    for (let column = after.length - 1; column >= 0; column--) {
      const here = row * width + column;
      lengths[here] =
        before[row] === after[column]
          ? lengths[here + width + 1] + 1
          : Math.max(lengths[here + width], lengths[here + 1]);
    }
  }
  return walk(before, after, lengths, width);
}

/** @returns {Change[]} */
function walk(before, after, lengths, width) {
  /** @type {Change[]} */
  const changes = [];
  let [row, column] = [0, 0];
  const differing = () => {
    const last = changes[changes.length - 1];
    if (last?.kind === "changed") return last;
    changes.push({ kind: "changed", before: [], after: [] });
    return changes[changes.length - 1];
  };
  while (row < before.length || column < after.length) {
    const here = row * width + column;
    if (row < before.length && column < after.length && before[row] === after[column]) {
      changes.push({ kind: "same", before: [row++], after: [column++] });
    } else if (
      column === after.length ||
      (row < before.length && lengths[here + width] >= lengths[here + 1])
    ) {
      differing().before.push(row++);
    } else differing().after.push(column++);
  }
  return changes;
}

/** Very long texts a block at a time: words seldom move far. @returns {Change[]} */
function inBlocks(before, after) {
  const blocks = Math.ceil(Math.max(before.length, after.length) / 1000);
  const changes = [];
  for (let block = 0; block < blocks; block++) {
    const cut = (words, at) => Math.round((words.length * at) / blocks);
    const [row, column] = [cut(before, block), cut(after, block)];
    const part = diffWords(
      before.slice(row, cut(before, block + 1)),
      after.slice(column, cut(after, block + 1)),
    );
    for (const change of part) {
      changes.push({
        kind: change.kind,
        before: change.before.map((place) => place + row),
        after: change.after.map((place) => place + column),
      });
    }
  }
  return changes;
}

/** Saving files. */

import { el } from "./dom.js";

/**
 * Have the browser save a file.
 * @param {Blob} blob
 * @param {string} name
 */
export function save(blob, name) {
  const link = /** @type {HTMLAnchorElement} */ (
    el("a", { href: URL.createObjectURL(blob), download: name })
  );
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** Asking for an API key, where the service wants one. */

import { byId } from "./dom.js";

/**
 * Ask until somebody has typed something.
 * @param {boolean} wrong whether the last one was refused.
 * @returns {Promise<string>}
 */
export function askForKey(wrong) {
  const dialog = /** @type {HTMLDialogElement} */ (byId("key-dialog"));
  const input = /** @type {HTMLInputElement} */ (byId("key-input"));
  byId("key-wrong").hidden = !wrong;
  input.setAttribute("aria-invalid", String(wrong));
  input.value = "";
  dialog.showModal();
  return new Promise((resolve) => {
    const answered = new AbortController();
    const { signal } = answered;
    const submit = (event) => {
      event.preventDefault();
      const key = input.value.trim();
      if (!key) return;
      answered.abort();
      dialog.close();
      byId("forget-key").hidden = false;
      resolve(key);
    };
    byId("key-form").addEventListener("submit", submit, { signal });
    // Nothing works without one. A "cancel" can't be prevented twice in a row in Chromium.
    dialog.addEventListener("close", () => dialog.showModal(), { signal });
  });
}

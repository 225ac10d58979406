/** Text as it is written, or as it was heard: what somebody chose here last. */

import { byId } from "./dom.js";
import { browserStorage } from "./storage.js";
import { isWritten } from "./tokens.js";

const ITEM = "otoscope-text-style";

/** @returns {import("./tokens.js").Style} */
export function firstStyle() {
  return browserStorage.getItem(ITEM) === "verbatim" ? "verbatim" : "written";
}

/**
 * Follow the switch, which is there where there is something to choose.
 * @param {import("./store.js").Store} store
 */
export function followStyle(store) {
  const radios = /** @type {HTMLInputElement[]} */ (
    Array.from(document.querySelectorAll('input[name="text-style"]'))
  );
  for (const radio of radios) {
    radio.checked = radio.value === store.state.style;
    radio.addEventListener("change", () => {
      browserStorage.setItem(ITEM, radio.value);
      store.set({ style: radio.value });
    });
  }
  store.on(["reading"], ({ reading }) => (byId("text-style").hidden = !isWritten(reading)));
}

/** Which of the service's models transcribes. */

import { byId, el, fill } from "./dom.js";

/**
 * Show the choice where there is one, and follow it.
 * @param {import("./store.js").Store} store
 * @param {(name: string) => Promise<void>} onChoice
 */
export function followModelChoice(store, onChoice) {
  const select = /** @type {HTMLSelectElement} */ (byId("model-name"));
  select.addEventListener("change", async () => {
    await onChoice(select.value);
    select.value = store.state.model.name; // the one before, if the other could not be asked
  });
  store.on(["model"], ({ model: { name, served } }) => {
    byId("model-choice").hidden = served.length < 2;
    fill(select, ...served.map((one) => el("option", { value: one.name, text: one.name })));
    select.value = name;
  });
}

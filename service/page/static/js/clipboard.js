/** Copying, with a word on the button about how it went. */

const SHOWN_MS = 2000;

/**
 * @param {string} text
 * @param {HTMLElement} button
 * @param {HTMLElement} place where the text stands: marked if the browser does not let the page copy.
 */
export async function copy(text, button, place) {
  const name = (button.dataset.name ??= button.textContent);
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(place);
    button.textContent = "Marked: press Ctrl+C";
  }
  setTimeout(() => (button.textContent = name), SHOWN_MS);
}

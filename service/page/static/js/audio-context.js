/** Letting the browser's sound begin. */

const BEGIN_MS = 5000;

/**
 * Let a context run: Firefox waits for ever where there is nothing that plays sound.
 * @param {AudioContext} context
 * @throws {Error} if it does not.
 */
export async function begin(context) {
  const detail = "The browser's sound does not start: connect loudspeakers or headphones, and try again.";
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(detail)), BEGIN_MS));
  await Promise.race([context.resume(), late]);
}

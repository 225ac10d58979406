/** Light or dark: what the system says, unless somebody has chosen here. */

import { byId } from "./dom.js";
import { browserStorage } from "./storage.js";

const ITEM = "otoscope-theme";
const NEXT = { light: "dark", dark: "light" };

/**
 * Follow the system, and the button.
 * @param {(theme: string) => void} onChange
 */
export function followTheme(onChange) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = byId("theme");
  const apply = () => {
    const theme = browserStorage.getItem(ITEM) ?? (system.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    button.setAttribute("aria-label", `Change to the ${NEXT[theme]} theme`);
    onChange(theme);
  };
  system.addEventListener("change", apply);
  button.addEventListener("click", () => {
    browserStorage.setItem(ITEM, NEXT[document.documentElement.dataset.theme]);
    apply();
  });
  apply();
}

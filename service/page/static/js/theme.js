/** Light or dark: what the system says, unless somebody has chosen here. */

import { byId } from "./dom.js";

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
    const theme = localStorage.getItem(ITEM) ?? (system.matches ? "dark" : "light");
    document.documentElement.dataset.theme = theme;
    button.setAttribute("aria-label", `Change to the ${NEXT[theme]} theme`);
    onChange(theme);
  };
  system.addEventListener("change", apply);
  button.addEventListener("click", () => {
    localStorage.setItem(ITEM, NEXT[document.documentElement.dataset.theme]);
    apply();
  });
  apply();
}

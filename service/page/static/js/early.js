/** Before anything is painted: the theme, lest a dark room sees a white page first. See theme.js. */

try {
  document.documentElement.dataset.theme = localStorage.getItem("otoscope-theme") ?? "";
} catch {
  // storage is blocked: see storage.js
}
document.documentElement.dataset.theme ||= matchMedia("(prefers-color-scheme: dark)").matches
  ? "dark"
  : "light";

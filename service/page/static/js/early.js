/** Before anything is painted: the theme, lest a dark room sees a white page first. See theme.js. */

document.documentElement.dataset.theme =
  localStorage.getItem("otoscope-theme") ??
  (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

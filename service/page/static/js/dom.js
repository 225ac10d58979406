/** Building and finding elements, so that no module writes markup as text. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * The element of this id in the page; a page without it is broken.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`expected an element #${id}`);
  return found;
}

/**
 * A new element.
 * @param {string} tag
 * @param {Record<string, any>} [props] `class`, `text`, `on` (listeners), `style` (custom
 *   properties, set through CSSOM as the policy asks), properties of the element, or attributes.
 * @param {...(Node|string|null|undefined)} children
 * @returns {HTMLElement}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) apply(node, name, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** @param {HTMLElement} node @param {string} name @param {any} value */
function apply(node, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name === "class") node.className = value;
  else if (name === "text") node.textContent = value;
  else if (name === "on")
    for (const [type, listen] of Object.entries(value)) node.addEventListener(type, listen);
  else if (name === "style") for (const [key, one] of Object.entries(value)) node.style.setProperty(key, one);
  else if (name in node && !name.startsWith("aria") && name !== "role" && name !== "list") node[name] = value;
  else node.setAttribute(name, value === true ? "" : value);
}

/**
 * An icon of the sprite in index.html; text beside it or a label on its button says what it means.
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/**
 * Replace all that is in an element.
 * @param {HTMLElement} node
 * @param {...(Node|string)} children
 */
export function fill(node, ...children) {
  node.replaceChildren(...children);
}

/**
 * A letter as people can see it: the space and the blank have no shape of their own.
 * @param {string} symbol
 */
export function visible(symbol) {
  if (symbol === " ") return "␣";
  return symbol === "<blank>" ? "–" : symbol === "'" ? "’" : symbol;
}

/** What a symbol is called when it is read aloud. @param {string} symbol */
export function spoken(symbol) {
  return { " ": "space", "<blank>": "blank", "'": "apostrophe" }[symbol] ?? symbol;
}

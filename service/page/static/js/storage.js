/** The browser's storage; where it is blocked, memory, which holds nothing longer than the page lives. */

class Memory {
  constructor() {
    /** @type {Map<string, string>} */
    this.items = new Map();
  }

  /** @param {string} name */
  getItem(name) {
    return this.items.get(name) ?? null;
  }

  /** @param {string} name @param {string} value */
  setItem(name, value) {
    this.items.set(name, value);
  }

  /** @param {string} name */
  removeItem(name) {
    this.items.delete(name);
  }
}

/** For this tab, until it is closed. */
export const tabStorage = available("sessionStorage") ?? new Memory();

const local = available("localStorage");

/** For this browser. */
export const browserStorage = local ?? new Memory();

/** Whether what is put into `browserStorage` outlasts the page. */
export const isLasting = local !== null;

/** @param {"localStorage" | "sessionStorage"} name @returns {Storage | null} null where the browser blocks it. */
function available(name) {
  try {
    return window[name]; // throws where sites may keep no data
  } catch (error) {
    if (error instanceof DOMException && error.name === "SecurityError") return null;
    throw error;
  }
}

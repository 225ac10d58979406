/** What can go wrong, told as the service tells it (RFC 9457), and shown where people look. */

import { el, fill, icon } from "./dom.js";

/** An answer that is an error, or no answer at all. */
export class Problem extends Error {
  /**
   * @param {{title: string, detail: string, status?: number, errors?: string[]}} document
   * @param {number} [retryAfter_s] when to try again.
   */
  constructor(document, retryAfter_s) {
    super(document.detail);
    this.title = document.title;
    this.status = document.status ?? 0;
    this.errors = document.errors ?? [];
    this.retryAfter_s = retryAfter_s;
  }

  /**
   * The problem that an answer's body describes.
   * @param {number} status
   * @param {string} body
   * @param {string | null} retryAfter the header of that name, in seconds.
   */
  static of(status, body, retryAfter) {
    const wait_s = retryAfter ? Number(retryAfter) : Number.NaN;
    let document;
    try {
      document = JSON.parse(body);
    } catch {
      document = {
        title: `The answer was ${status}`,
        detail: body.slice(0, 300) || "without a reason",
        status,
      };
    }
    return new Problem(document, Number.isFinite(wait_s) ? wait_s : undefined);
  }

  /** Nobody answered. */
  static unreachable() {
    const detail = "There was no answer. Is it still running, and is this machine connected to it?";
    return new Problem({ title: "The service can't be reached", detail });
  }
}

const HINTS = {
  408: "The upload paused for too long. A slow connection may need a smaller file.",
  413: "Choose a shorter or smaller recording; the service's operator can raise the limit.",
  503: "The service is busy with other recordings.",
};

/**
 * Show an error, with a way to try again where that may help.
 * @param {HTMLElement} place
 * @param {unknown} error
 * @param {(() => void) | null} [again]
 */
export function showProblem(place, error, again = null) {
  const problem = asProblem(error);
  const hint = HINTS[problem.status];
  const buttons = el("div", { class: "problem-buttons" });
  if (again) buttons.append(retryButton(problem, again));
  buttons.append(
    el("button", {
      class: "button quiet",
      type: "button",
      text: "Close",
      on: { click: () => clearProblem(place) },
    }),
  );
  fill(
    place,
    el(
      "div",
      { class: "problem", role: "alert" },
      icon("warning"),
      el(
        "div",
        {},
        el("strong", { text: problem.title }),
        problem.status ? el("span", { class: "problem-status", text: ` ${problem.status}` }) : null,
        el("p", { class: "problem-detail", text: problem.message }),
        problem.errors.length > 1
          ? el("ul", {}, ...problem.errors.map((line) => el("li", { text: line })))
          : null,
        hint ? el("p", { class: "muted", text: hint }) : null,
        buttons,
      ),
    ),
  );
  place.hidden = false;
}

/** What went wrong, as it can be shown. @param {unknown} error @returns {Problem} */
export function asProblem(error) {
  if (error instanceof Problem) return error;
  console.error(error);
  return new Problem({ title: "Something went wrong here", detail: String(error) });
}

/** @param {HTMLElement} place */
export function clearProblem(place) {
  fill(place);
  place.hidden = true;
}

/** A button that counts down to when the service wants to be asked again. */
function retryButton(problem, again) {
  const button = /** @type {HTMLButtonElement} */ (
    el("button", { class: "button", type: "button", on: { click: again } })
  );
  let left_s = Math.ceil(problem.retryAfter_s ?? 0);
  const tick = () => {
    button.disabled = left_s > 0;
    button.textContent = left_s > 0 ? `Try again in ${left_s} s` : "Try again";
    if (left_s-- > 0) setTimeout(tick, 1000);
  };
  tick();
  return button;
}

/** Moving about in time: wheel, pinch, drag, click and keys. */

import { wordAt } from "./lanes/spans.js";
import { clamped, firstView, revealing, scrolled, toTime, zoomed } from "./viewport.js";

const WHEEL = 0.0016;
const KEY_FACTOR = 1.5;
const CLICK_PX = 4;

export class Gestures {
  /**
   * @param {import("./store.js").Store} store
   * @param {import("./stage.js").Stage} stage
   * @param {import("./player.js").Player} player
   * @param {HTMLElement} place where the lanes are; it takes the keys.
   * @param {HTMLElement} overview the whole recording's strip.
   */
  constructor(store, stage, player, place, overview) {
    Object.assign(this, { store, stage, player, place });
    /** @type {Map<number, {x: number, from: number}>} fingers or buttons that are down, by their id. */
    this.down = new Map();
    place.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    place.addEventListener("pointerdown", (event) => this.#press(event));
    place.addEventListener("pointermove", (event) => this.#move(event));
    for (const type of ["pointerup", "pointercancel"])
      place.addEventListener(type, (event) => this.#release(/** @type {PointerEvent} */ (event)));
    place.addEventListener("keydown", (event) => this.#key(event));
    const jump = (event) => event.buttons && this.#centre(event, overview);
    overview.addEventListener("pointerdown", (event) => {
      overview.setPointerCapture(event.pointerId);
      jump(event);
    });
    overview.addEventListener("pointermove", jump);
  }

  /** Zoom about the cursor if it is seen, else about the middle. @param {number} factor */
  zoom(factor) {
    const { view, cursor_s, recording } = this.store.state;
    const seen = cursor_s >= view.start_s && cursor_s <= view.start_s + view.span_s;
    this.#show(zoomed(view, factor, seen ? cursor_s : view.start_s + view.span_s / 2, recording.duration_s));
  }

  /** Show the whole recording, or as much as one looks at first. */
  fit() {
    const { view, recording, matrices } = this.store.state;
    const whole = { start_s: 0, span_s: recording.duration_s };
    const first = firstView(recording.duration_s, matrices.probs.step_s, this.stage.plot);
    this.#show(view.span_s === whole.span_s ? first : whole);
  }

  /** Put the cursor at a moment, and show it. @param {number} time_s */
  goTo(time_s) {
    const { recording, view } = this.store.state;
    const kept = Math.min(Math.max(time_s, 0), recording.duration_s);
    this.store.set({ cursor_s: kept, view: revealing(view, kept, kept, recording.duration_s) });
  }

  #show(view) {
    this.store.set({ view });
  }

  #x(event) {
    return event.clientX - this.place.getBoundingClientRect().left;
  }

  #wheel(event) {
    const { view, recording } = this.store.state;
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    const pinched = event.ctrlKey || event.metaKey; // on a touchpad, that is how a pinch comes
    const zooms = !sideways && (pinched || document.activeElement === this.place);
    if (!sideways && !zooms) return; // nobody has clicked here: the page scrolls, as pages do
    event.preventDefault();
    if (zooms) {
      const about_s = toTime(view, this.stage.plot, this.#x(event));
      this.#show(
        zoomed(view, Math.exp(event.deltaY * (pinched ? 4 * WHEEL : WHEEL)), about_s, recording.duration_s),
      );
      return;
    }
    const by_px = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : event.deltaY;
    this.#show(scrolled(view, (by_px / this.stage.plot.width_px) * view.span_s, recording.duration_s));
  }

  #press(event) {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    this.place.setPointerCapture(event.pointerId);
    this.down.set(event.pointerId, { x: this.#x(event), from: this.#x(event) });
  }

  #move(event) {
    const { view, recording } = this.store.state;
    const held = this.down.get(event.pointerId);
    const x = this.#x(event);
    if (!held) {
      this.#point(x);
      return;
    }
    if (this.down.size === 2) this.#pinch(event.pointerId, x);
    else if (Math.abs(x - held.from) >= CLICK_PX) {
      this.place.classList.add("dragging");
      this.#show(
        scrolled(view, ((held.x - x) / this.stage.plot.width_px) * view.span_s, recording.duration_s),
      );
    }
    held.x = x;
  }

  /** Two fingers hold on to two moments. */
  #pinch(id, x) {
    const { view, recording } = this.store.state;
    const moved = this.down.get(id);
    const other = [...this.down].find(([each]) => each !== id)[1];
    const [before, now] = [Math.abs(moved.x - other.x), Math.abs(x - other.x)];
    if (before < 8 || now < 8) return;
    this.#show(zoomed(view, before / now, toTime(view, this.stage.plot, other.x), recording.duration_s));
  }

  #release(event) {
    const held = this.down.get(event.pointerId);
    this.down.delete(event.pointerId);
    this.place.classList.remove("dragging");
    if (!held || event.type === "pointercancel" || Math.abs(held.x - held.from) >= CLICK_PX) return;
    const x = this.#x(event);
    this.#point(x);
    this.player.seek(this.store.state.cursor_s);
    const lane = document
      .elementsFromPoint(event.clientX, event.clientY)
      .find((each) => each.matches(".lane-words"));
    const word = lane && wordAt(this.store.state, this.store.state.cursor_s);
    if (word) this.player.play(word.start_s, word.end_s);
  }

  #point(x) {
    const { view, recording } = this.store.state;
    const time_s = toTime(view, this.stage.plot, x);
    this.store.set({ cursor_s: Math.min(Math.max(time_s, 0), recording.duration_s) });
  }

  #centre(event, overview) {
    const { view, recording } = this.store.state;
    const { left_px, width_px } = this.stage.plot;
    const share = (event.clientX - overview.getBoundingClientRect().left - left_px) / width_px;
    this.#show(
      clamped(
        { start_s: share * recording.duration_s - view.span_s / 2, span_s: view.span_s },
        recording.duration_s,
      ),
    );
  }

  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const action = this.#actions(event.shiftKey)[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }

  /** @param {boolean} shifted @returns {Record<string, () => void>} */
  #actions(shifted) {
    const { view, cursor_s, recording, matrices } = this.store.state;
    const step_s = matrices.probs.step_s;
    const step = (by) => {
      if (shifted) this.#show(scrolled(view, by * view.span_s * 0.2, recording.duration_s));
      else this.goTo(Math.min((matrices.probs.rowAt(cursor_s) + by) * step_s, recording.duration_s));
    };
    return {
      ArrowLeft: () => step(-1),
      ArrowRight: () => step(1),
      ArrowDown: () => step(-1),
      ArrowUp: () => step(1),
      PageUp: () => this.#show(scrolled(view, -view.span_s * 0.9, recording.duration_s)),
      PageDown: () => this.#show(scrolled(view, view.span_s * 0.9, recording.duration_s)),
      Home: () => this.goTo(0),
      End: () => this.goTo(recording.duration_s),
      "+": () => this.zoom(1 / KEY_FACTOR),
      "=": () => this.zoom(1 / KEY_FACTOR),
      "-": () => this.zoom(KEY_FACTOR),
      _: () => this.zoom(KEY_FACTOR),
      0: () => this.fit(),
      " ": () => this.player.toggle(),
      Enter: () => {
        const word = wordAt(this.store.state, cursor_s);
        if (word) this.player.play(word.start_s, word.end_s);
      },
    };
  }
}

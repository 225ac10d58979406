/** Canvases that are sharp on every screen. */

export const FONT = 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
export const MONO = 'ui-monospace, "SF Mono", "Cascadia Mono", Consolas, "DejaVu Sans Mono", monospace';

/**
 * Give a canvas its size and clear it.
 * @param {HTMLCanvasElement} canvas
 * @param {number} width_px CSS pixels.
 * @param {number} height_px
 * @returns {CanvasRenderingContext2D} in CSS pixels.
 */
export function prepare(canvas, width_px, height_px) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [Math.round(width_px * ratio), Math.round(height_px * ratio)];
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
    canvas.style.setProperty("width", `${width_px}px`);
    canvas.style.setProperty("height", `${height_px}px`);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width_px, height_px);
  return context;
}

/**
 * Text at a place.
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} x
 * @param {number} y
 * @param {{colour: string, font?: string, align?: CanvasTextAlign, baseline?: CanvasTextBaseline}} look
 */
export function write(
  context,
  text,
  x,
  y,
  { colour, font = `11px ${FONT}`, align = "left", baseline = "middle" },
) {
  context.fillStyle = colour;
  context.font = font;
  context.textAlign = align;
  context.textBaseline = baseline;
  context.fillText(text, x, y);
}

/**
 * A lane's name, beside its plot and turned along it.
 * @param {CanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} height_px
 * @param {string} colour
 */
export function writeName(context, text, height_px, colour) {
  context.save();
  context.translate(8, height_px / 2);
  context.rotate(-Math.PI / 2);
  write(context, text, 0, 0, { colour, align: "center" });
  context.restore();
}

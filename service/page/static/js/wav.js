/** RIFF WAVE, 16-bit PCM, one channel. */

const HEADER_BYTES = 44;

/** @param {Float32Array} samples in [-1, 1]. @returns {Int16Array} */
export function toPcm(samples) {
  return Int16Array.from(samples, (sample) => Math.round(Math.min(Math.max(sample, -1), 1) * 32767));
}

/**
 * @param {Int16Array[]} blocks little-endian, as every machine that has a browser holds them.
 * @param {number} rate_hz
 * @returns {Blob}
 */
export function toWav(blocks, rate_hz) {
  const bytes = blocks.reduce((sum, block) => sum + block.byteLength, 0);
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  const tag = (at, text) =>
    [...text].forEach((letter, place) => view.setUint8(at + place, letter.charCodeAt(0)));
  tag(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + bytes, true);
  tag(8, "WAVEfmt ");
  view.setUint32(16, 16, true); // bytes of what follows
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, rate_hz, true);
  view.setUint32(28, rate_hz * 2, true); // bytes a second
  view.setUint16(32, 2, true); // bytes a sample of all channels
  view.setUint16(34, 16, true); // bits
  tag(36, "data");
  view.setUint32(40, bytes, true);
  return new Blob([view, ...blocks], { type: "audio/wav" });
}

/** Runs beside the sound card: collects samples and hands them on in blocks. */

/** 80 ms, in the whole quanta of 128 samples in which they come. */
const BLOCK = Math.round((sampleRate * 0.08) / 128) * 128;

class Tap extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(BLOCK);
    this.filled = 0;
  }

  /** @param {Float32Array[][]} inputs 128 samples a channel. */
  process(inputs) {
    const samples = inputs[0][0];
    if (!samples) return true; // nothing is connected yet
    this.block.set(samples, this.filled);
    this.filled += samples.length;
    if (this.filled === BLOCK) {
      this.port.postMessage(this.block, [this.block.buffer]);
      this.block = new Float32Array(BLOCK);
      this.filled = 0;
    }
    return true;
  }
}

registerProcessor("tap", Tap);

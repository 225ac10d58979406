/** The recording as sound: decoded by the browser, and what its waveform looks like at any zoom. */

/** The rate the model listens at; what is heard and drawn here is what it was given. */
export const RATE_HZ = 16000;

const FINEST = 32;
const STEP = 8;
const CHUNK = 2 ** 20;

/**
 * @typedef {object} Sound
 * @property {AudioBuffer} buffer mono, RATE_HZ.
 * @property {Float32Array} samples
 * @property {Level[]} levels the finest first.
 * @typedef {{size: number, least: Float32Array, most: Float32Array}} Level extremes of `size` samples each.
 */

/**
 * Decode a file.
 * @param {Blob} blob
 * @returns {Promise<Sound | null>} null if this browser can't decode it: the service may all the same.
 */
export async function decode(blob) {
  let decoded;
  try {
    const context = new OfflineAudioContext(1, 1, RATE_HZ);
    decoded = await context.decodeAudioData(await blob.arrayBuffer());
  } catch {
    return null;
  }
  const buffer = mono(decoded);
  const samples = buffer.getChannelData(0);
  return { buffer, samples, levels: await levelsOf(samples) };
}

/** The mean of the channels, as the service takes it. @param {AudioBuffer} decoded */
function mono(decoded) {
  const { numberOfChannels: channels, length, sampleRate } = decoded;
  if (channels === 1) return decoded;
  const buffer = new AudioBuffer({ length, sampleRate, numberOfChannels: 1 });
  const sum = buffer.getChannelData(0);
  for (let channel = 0; channel < channels; channel++) {
    const samples = decoded.getChannelData(channel);
    for (let place = 0; place < length; place++) sum[place] += samples[place] / channels;
  }
  return buffer;
}

/** Extremes of ever longer stretches; the page stays alive meanwhile. @param {Float32Array} samples */
async function levelsOf(samples) {
  const count = Math.max(Math.ceil(samples.length / FINEST), 1);
  const finest = { size: FINEST, least: new Float32Array(count), most: new Float32Array(count) };
  for (let start = 0; start < samples.length; start += CHUNK) {
    extremes(samples, samples, FINEST, finest, start / FINEST, Math.min(start + CHUNK, samples.length));
    await new Promise((resume) => setTimeout(resume));
  }
  const levels = [finest];
  while (levels[levels.length - 1].least.length > 2000) levels.push(coarser(levels[levels.length - 1]));
  return levels;
}

/** @param {Level} finer @returns {Level} */
function coarser(finer) {
  const count = Math.ceil(finer.least.length / STEP);
  const level = { size: finer.size * STEP, least: new Float32Array(count), most: new Float32Array(count) };
  extremes(finer.least, finer.most, STEP, level, 0, finer.least.length);
  return level;
}

/** Write least and most of each `size` values from block `first` on, up to value `end`. */
function extremes(least, most, size, into, first, end) {
  for (let block = first; block * size < end; block++) {
    let [low, high] = [Infinity, -Infinity];
    const stop = Math.min((block + 1) * size, end);
    for (let place = block * size; place < stop; place++) {
      if (least[place] < low) low = least[place];
      if (most[place] > high) high = most[place];
    }
    into.least[block] = low;
    into.most[block] = high;
  }
}

/**
 * The extremes between two moments.
 * @param {Sound} sound
 * @param {number} from_s
 * @param {number} to_s
 * @returns {[number, number]} least and most, 0 and 0 beyond the end.
 */
export function between(sound, from_s, to_s) {
  const [start, stop] = [from_s * RATE_HZ, to_s * RATE_HZ];
  const level = [...sound.levels].reverse().find((one) => one.size <= stop - start);
  const size = level?.size ?? 1;
  const [least, most] = level ? [level.least, level.most] : [sound.samples, sound.samples];
  const first = Math.max(Math.floor(start / size), 0);
  const last = Math.min(Math.max(Math.ceil(stop / size), first + 1), least.length);
  let [low, high] = [Infinity, -Infinity];
  for (let place = first; place < last; place++) {
    low = Math.min(low, least[place]);
    high = Math.max(high, most[place]);
  }
  return low > high ? [0, 0] : [low, high];
}

/** The greatest amplitude, so that a quiet recording can be seen. @param {Sound} sound */
export function loudest(sound) {
  const coarsest = sound.levels[sound.levels.length - 1];
  let peak = 0.01;
  for (let place = 0; place < coarsest.least.length; place++) {
    peak = Math.max(peak, -coarsest.least[place], coarsest.most[place]);
  }
  return peak;
}

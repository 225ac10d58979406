/** NumPy's file format, as far as the service writes it: float32, little-endian, two axes. */

const MAGIC = "\x93NUMPY";

/**
 * Read a matrix.
 * @param {ArrayBuffer} buffer the whole file.
 * @returns {{values: Float32Array, rows: number, columns: number}} values row by row.
 * @throws {Error} if it is something else, with what came.
 */
export function parseNpy(buffer) {
  const bytes = new Uint8Array(buffer);
  const magic = String.fromCharCode(...bytes.subarray(0, 6));
  if (magic !== MAGIC) throw new Error(`expected an npy file, got ${JSON.stringify(magic)}`);
  const view = new DataView(buffer);
  const long = bytes[6] >= 2; // version 2 has a header length of four bytes
  const start = long ? 12 : 10;
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder().decode(bytes.subarray(start, start + length));
  const shape = /'descr': '<f4', 'fortran_order': False, 'shape': \((\d+), (\d+)\)/.exec(header);
  if (!shape) throw new Error(`expected a float32 matrix row by row, got ${header}`);
  const [rows, columns] = [Number(shape[1]), Number(shape[2])];
  // The header's padding makes this a multiple of 64, as a typed array needs.
  return { values: new Float32Array(buffer, start + length, rows * columns), rows, columns };
}

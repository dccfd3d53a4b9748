/**
 * Updates as they travel: "OSV1", the length of the head (uint32), the head as JSON, then the arrays that it names.
 *
 * @typedef {{data: ArrayLike<number>, shape: number[], dtype: string}} Numbers
 * @typedef {{head: any, arrays: Numbers[]}} Update
 */

const MAGIC = 0x4f535631;
const TYPES = {
  "|u1": Uint8Array, "|i1": Int8Array, "|b1": Uint8Array, "<u2": Uint16Array, "<i2": Int16Array,
  "<u4": Uint32Array, "<i4": Int32Array, "<f4": Float32Array, "<f8": Float64Array,
  "<u8": BigUint64Array, "<i8": BigInt64Array,
};
const words = new TextDecoder();

/**
 * @param {ArrayBuffer} buffer
 * @returns {Update} arrays are views of the buffer, in the order of their numbers
 * @throws {Error} when it is no update
 */
export function unpack(buffer) {
  const bytes = new DataView(buffer);
  if (buffer.byteLength < 8 || bytes.getUint32(0) !== MAGIC) {
    throw new Error(`found a message of ${buffer.byteLength} bytes without OSV1, expected an update`);
  }
  const length = bytes.getUint32(4, true);
  const head = JSON.parse(words.decode(new Uint8Array(buffer, 8, length)));
  return { head, arrays: head.arrays.map((/** @type {any} */ place) => numbers(buffer, 8 + length, place)) };
}

/** @returns {Numbers} */
function numbers(buffer, base, { offset, dtype, shape }) {
  const Type = TYPES[dtype];
  const count = shape.reduce((/** @type {number} */ all, /** @type {number} */ n) => all * n, 1);
  if (!Type) return { data: [], shape: [0], dtype };
  const data = new Type(buffer, base + offset, count);
  return { data: data instanceof BigInt64Array || data instanceof BigUint64Array ? Float64Array.from(data, Number) : data, shape, dtype };
}

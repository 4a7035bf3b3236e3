type Columns = Float64Array | Int32Array | Uint16Array | Uint8Array;

/** Longer arrays grow by a quarter: at a million devices the spare part is what memory is wasted on. */
const LONG = 65_536;

/** The array itself when it holds `size` items, else a longer one with the same content; new items are `fill`. */
export function grown<Array extends Columns>(array: Array, size: number, fill = 0): Array {
  if (size <= array.length) return array;
  const { length } = array;
  return resized(array, Math.max(size, length < LONG ? length * 2 : Math.ceil(length * 1.25), 16), fill);
}

/** The same content in an array of exactly `size` items, which is not shorter. */
export function resized<Array extends Columns>(array: Array, size: number, fill = 0): Array {
  const Type = array.constructor as new (length: number) => Array;
  const longer = new Type(size);
  longer.set(array as never);
  if (fill !== 0) longer.fill(fill as never, array.length);
  return longer;
}

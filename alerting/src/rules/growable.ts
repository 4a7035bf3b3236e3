type Columns = Float64Array | Int32Array | Uint8Array;

/** The array itself when it holds `size` items, else one at least twice as long with the same content; new items are `fill`. */
export function grown<Array extends Columns>(array: Array, size: number, fill = 0): Array {
  if (size <= array.length) return array;
  const Type = array.constructor as new (length: number) => Array;
  const longer = new Type(Math.max(size, array.length * 2, 16));
  longer.set(array as never);
  if (fill !== 0) longer.fill(fill as never, array.length);
  return longer;
}

/**
 * Vectors as blocks store them: scaled to length 1, each component an integer from -127 to 127, with a factor that
 * converts it back. This takes a quarter of the space of floats, and changes the similarity of two texts by less than
 * a hundredth.
 *
 * A block is a row of slots. Each is 4 bytes of factor (0 if the slot is free), then one byte per dimension.
 */

const FACTOR_BYTES = 4
const LARGEST = 127

const slotBytes = (dimensions: number) => FACTOR_BYTES + dimensions

/** Scales a vector to length 1. */
export function normalized(vector: readonly number[]): Float32Array {
  const length = Math.hypot(...vector)
  return Float32Array.from(vector, (part) => part / length)
}

/** Returns the first free slot of a block, or the one after its last. */
export function freeSlot(block: Buffer, dimensions: number): number {
  const size = slotBytes(dimensions)
  const slots = block.length / size
  for (let slot = 0; slot < slots; slot++) {
    if (block.readFloatLE(slot * size) === 0) return slot
  }
  return slots
}

/** Returns the block with this vector of length 1 in a slot; null frees the slot. */
export function withSlot(
  block: Buffer,
  dimensions: number,
  slot: number,
  vector: Float32Array | null
): Buffer {
  const size = slotBytes(dimensions)
  const start = slot * size
  const changed = Buffer.alloc(Math.max(block.length, start + size))
  block.copy(changed)
  changed.fill(0, start, start + size)
  if (!vector) return changed
  const factor = vector.reduce((most, part) => Math.max(most, Math.abs(part)), 0) / LARGEST
  changed.writeFloatLE(factor, start)
  for (let at = 0; at < dimensions; at++) {
    changed.writeInt8(Math.round(vector[at] / factor), start + FACTOR_BYTES + at)
  }
  return changed
}

/** Calls back with the similarity of each vector of a block to one of length 1: from -1 to 1. */
export function compare(
  block: Buffer,
  wanted: Float32Array,
  found: (slot: number, similarity: number) => void
): void {
  const dimensions = wanted.length
  const size = slotBytes(dimensions)
  const parts = new Int8Array(block.buffer, block.byteOffset, block.length)
  for (let start = 0, slot = 0; start < block.length; start += size, slot++) {
    const factor = block.readFloatLE(start)
    if (factor === 0) continue
    let sum = 0
    for (let at = 0, from = start + FACTOR_BYTES; at < dimensions; at++) {
      sum += wanted[at] * parts[from + at]
    }
    found(slot, sum * factor)
  }
}

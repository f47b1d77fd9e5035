/** Items per statement. SQLite accepts far more, but a long statement blocks its only writer. */
const MOST_ITEMS = 500

/** Yields the items in order, at most `size` at a time. */
export function* inBatches<Item>(items: readonly Item[], size = MOST_ITEMS): Generator<Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size)
}

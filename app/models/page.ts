/** The requested page of a list: `?page=1&limit=50`. */
export interface PageQuery {
  page?: number
  limit?: number
}

export const FIRST_PAGE = 1
export const PAGE_LIMIT = 50
/** Maximum page size. */
export const MOST_PER_PAGE = 100

/** Pages a short list that is already in memory, for `Transformer.paginate(rows, meta)`. */
export function pageOf<Item>(
  items: Item[],
  { page = FIRST_PAGE, limit = PAGE_LIMIT }: PageQuery
): { rows: Item[]; meta: { total: number; currentPage: number; perPage: number } } {
  const start = (page - 1) * limit
  return {
    rows: items.slice(start, start + limit),
    meta: { total: items.length, currentPage: page, perPage: limit },
  }
}

/** Wraps a short list in the API's envelope: whole, unless a page is requested. */
export function listed<Item>(items: Item[], query: PageQuery = {}) {
  const { rows, meta } = pageOf(items, { limit: MOST_PER_PAGE, ...query })
  const { total, currentPage: page, perPage: limit } = meta
  return { data: rows, meta: { total, page, limit, totalPages: Math.ceil(total / limit) } }
}

/**
 * A page that the database cut, with its rows as the API tells them. `unreadable` rows of it are missing in `data`:
 * the key that sealed them is lost.
 */
export function pageWith<Item>(
  page: { total: number; currentPage: number; perPage: number },
  data: Item[],
  unreadable = 0
) {
  const { total, currentPage, perPage: limit } = page
  return {
    data,
    meta: {
      total,
      page: currentPage,
      limit,
      totalPages: Math.ceil(total / limit),
      ...(unreadable > 0 && { unreadable }),
    },
  }
}

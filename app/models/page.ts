/** Which page of a list is asked for: `?page=1&limit=50`. */
export interface PageQuery {
  page?: number
  limit?: number
}

export const FIRST_PAGE = 1
export const PAGE_LIMIT = 50
/** As many as a page may hold. */
export const MOST_PER_PAGE = 100

/** A page of a short list that is in memory already, for `Transformer.paginate(rows, meta)`. */
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

/** A short list in the API's envelope: whole, unless a page of it is asked for. */
export function listed<Item>(items: Item[], query: PageQuery = {}) {
  const { rows, meta } = pageOf(items, { limit: MOST_PER_PAGE, ...query })
  const { total, currentPage: page, perPage: limit } = meta
  return { data: rows, meta: { total, page, limit, totalPages: Math.ceil(total / limit) } }
}

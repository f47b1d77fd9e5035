import vine from '@vinejs/vine'
import { MOST_PER_PAGE } from '#models/page'

/** The number of rows before a page must stay an exact number. */
const LAST_PAGE = Math.floor(Number.MAX_SAFE_INTEGER / MOST_PER_PAGE)

/** The requested page of a list: `?page=1&limit=50`. */
export const pageFields = () => ({
  page: vine.number().withoutDecimals().min(1).max(LAST_PAGE).optional(),
  limit: vine.number().withoutDecimals().min(1).max(MOST_PER_PAGE).optional(),
})

import vine from '@vinejs/vine'
import { MOST_PER_PAGE } from '#models/page'

/** The requested page of a list: `?page=1&limit=50`. */
export const pageFields = () => ({
  page: vine.number().withoutDecimals().min(1).max(1_000_000).optional(),
  limit: vine.number().withoutDecimals().min(1).max(MOST_PER_PAGE).optional(),
})

import vine from '@vinejs/vine'
import { pageFields } from '#validators/page_fields'

/** Longer than anyone types, and far below what keeps a gateway busy. */
export const MESSAGE_LENGTH = 200_000

/** A conversation's id as Mosaic writes it: the page's own, or `api:<name>` for those named by a client. */
const CONVERSATION_ID = /^(api:)?[a-z0-9][a-z0-9._-]{0,63}$/

export const chatValidator = vine.create({
  conversationId: vine.string().regex(CONVERSATION_ID).optional(),
  message: vine.string().maxLength(MESSAGE_LENGTH),
})

/** Much shorter than the 512 UTF-16 units that OpenClaw takes: titles are read in a narrow list. */
export const TITLE_LENGTH = 100

/** Which conversations: a page of them, and what they have in their title or last message. */
export const conversationsValidator = vine.create({
  ...pageFields(),
  search: vine.string().trim().maxLength(200).optional(),
})

export const conversationValidator = vine.create({
  cursor: vine.string().maxLength(512).optional(),
  format: vine.enum(['json', 'markdown'] as const).optional(),
})

export const conversationChangeValidator = vine.create({
  title: vine.string().trim().minLength(1).maxLength(TITLE_LENGTH).optional(),
  pinned: vine.boolean({ strict: true }).optional(),
})

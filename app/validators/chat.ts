import vine from '@vinejs/vine'

/** Longer than anyone types, and far below what keeps a gateway busy. */
export const MESSAGE_LENGTH = 200_000

/** A conversation's id as Mosaic writes it: the page's own, or `api:<name>` for those named by a client. */
const CONVERSATION_ID = /^(api:)?[a-z0-9][a-z0-9._-]{0,63}$/

export const chatValidator = vine.create({
  conversationId: vine.string().regex(CONVERSATION_ID).optional(),
  message: vine.string().maxLength(MESSAGE_LENGTH),
})

export const conversationValidator = vine.create({
  cursor: vine.string().maxLength(512).optional(),
})

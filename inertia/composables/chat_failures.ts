import type { ApiFailure } from '~/api/client'
import type { ChatFailure } from '~/composables/chat_messages'
import { t } from '~/locales'

export const toFailure = ({ code, message, hint }: ApiFailure): ChatFailure => ({
  code,
  message,
  hint,
})

/** A text or a PDF was sent before this page was loaded: the agent keeps only its name. */
export const filesGone = (): ChatFailure => ({
  code: 'E_FILES_GONE',
  message: t('chat.filesGone'),
  hint: t('chat.filesGoneHint'),
})

/** A picked file has changed or gone: the browser refuses to read it, now and later. */
export const fileUnreadable = (name: string): ChatFailure => ({
  code: 'E_FILE_UNREADABLE',
  message: t('chat.fileUnreadable', { name }),
  hint: t('chat.fileUnreadableHint'),
})

/** The connection broke, and the rest of the answer was not found. */
export const cut = (): ChatFailure => ({
  code: 'E_CUT',
  message: t('chat.cut'),
  hint: t('chat.cutHint'),
})

/** The connection broke before the agent got the question. */
export const notDelivered = (): ChatFailure => ({
  code: 'E_NOT_DELIVERED',
  message: t('chat.notDelivered'),
  hint: t('chat.notDeliveredHint'),
})

/** The agent could not be told to stop, and the rest of its answer was not found. */
export const notStopped = (): ChatFailure => ({
  code: 'E_NOT_STOPPED',
  message: t('chat.notStopped'),
  hint: t('chat.notStoppedHint'),
})

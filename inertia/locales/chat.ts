import { chat } from '~/locales/en_chat'
import { addTexts } from '~/locales'

/** Adds the chat texts to `t`. Only the chat page loads them. */
addTexts({ chat })

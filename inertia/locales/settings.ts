import { settings } from '~/locales/en_settings'
import { addTexts } from '~/locales'

/** Adds the texts of a user's settings to `t`. Only those pages load them. */
addTexts({ settings })

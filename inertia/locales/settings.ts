import { knowledge, settings, tasks } from '~/locales/en_settings'
import { addTexts } from '~/locales'

/** Adds the texts of a user's own pages to `t`. Only those pages load them. */
addTexts({ knowledge, settings, tasks })

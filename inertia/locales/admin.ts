import { admin } from '~/locales/en_admin'
import { addTexts } from '~/locales'

/** Adds the admin texts to `t`. Only admin pages load them. */
addTexts({ admin })

import { admin } from '~/locales/en_admin'
import { addTexts } from '~/locales'

/** Makes the texts of the administration known to `t`. Its pages alone load them. */
addTexts({ admin })

import { knowledge, tasks } from '~/locales/en_knowledge'
import { addTexts } from '~/locales'

/** Adds the texts of what an agent knows and of its tasks to `t`. Only those pages load them. */
addTexts({ knowledge, tasks })

import router from '@adonisjs/core/services/router'
import { pageValidator } from '#validators/identity'
import { one, page } from '#openapi/answer'
import { docsChapter, docsEntry } from '#openapi/shapes/installation'
import { api } from '#start/kernel'

const Docs = () => import('#controllers/api/docs_controller')

/** The same for everyone; contains no personal data. */
router
  .group(() => {
    router.get('/', [Docs, 'index']).answers(page(docsEntry)).asks(pageValidator)
    router.get('/:chapter', [Docs, 'show']).answers(one(docsChapter))
  })
  .prefix('/api/v1/docs')
  .access('anyone')
  .use(api)

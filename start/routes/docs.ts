import router from '@adonisjs/core/services/router'
import { api } from '#start/kernel'

const Docs = () => import('#controllers/api/docs_controller')

/** The same for everyone, and nobody's own. */
router
  .group(() => {
    router.get('/', [Docs, 'index']).as('docs.index')
    router.get('/:chapter', [Docs, 'show']).as('docs.show')
  })
  .prefix('/api/v1/docs')
  .access('anyone')
  .use(api)

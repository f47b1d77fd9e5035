import router from '@adonisjs/core/services/router'
import { api, pages } from '#start/kernel'

const Login = () => import('#controllers/login_controller')
const Me = () => import('#controllers/api/me_controller')
const Sessions = () => import('#controllers/api/sessions_controller')
const AccessTokens = () => import('#controllers/api/access_tokens_controller')

router
  .group(() => {
    router.post('/login', [Login, 'store']).as('login.store').access('anyone')
    router.post('/logout', [Login, 'destroy']).as('login.destroy').access('anyone')
  })
  .use(pages)

router
  .group(() => {
    router.post('/session', [Sessions, 'store']).as('session.store').access('anyone').withoutCsrf()
    router.delete('/session', [Sessions, 'destroy']).as('session.destroy')
    router.get('/me', [Me, 'show']).as('me.show')
    router.get('/tokens', [AccessTokens, 'index']).as('tokens.index')
    router.post('/tokens', [AccessTokens, 'store']).as('tokens.store')
    router.delete('/tokens/:id', [AccessTokens, 'destroy']).as('tokens.destroy')
  })
  .prefix('/api/v1')
  .access('signedIn')
  .use(api)

import router from '@adonisjs/core/services/router'
import { api } from '#start/kernel'

const Agent = () => import('#controllers/api/agent_controller')

router
  .group(() => {
    router.get('/', [Agent, 'show']).as('agent.show')
    router.post('/start', [Agent, 'start']).as('agent.start')
    router.post('/stop', [Agent, 'stop']).as('agent.stop')
    router.post('/restart', [Agent, 'restart']).as('agent.restart')
    router.post('/keep-awake', [Agent, 'keepAwake']).as('agent.keep_awake')
    router.get('/log', [Agent, 'log']).as('agent.log')
    router.get('/events', [Agent, 'events']).as('agent.events')
  })
  .prefix('/api/v1/agent')
  .access('signedIn')
  .ability('chat')
  .use(api)

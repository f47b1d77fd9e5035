import router from '@adonisjs/core/services/router'
import { events, one } from '#openapi/answer'
import { agent, crashLog } from '#openapi/shapes/agents'
import { api } from '#start/kernel'

const Agent = () => import('#controllers/api/agent_controller')

router
  .group(() => {
    router.get('/', [Agent, 'show']).answers(one(agent))
    router.post('/start', [Agent, 'start']).answers(one(agent, 202))
    router.post('/stop', [Agent, 'stop']).answers(one(agent, 202))
    router.post('/restart', [Agent, 'restart']).answers(one(agent, 202))
    router.post('/keep-awake', [Agent, 'keepAwake']).answers(one(agent, 202))
    router.get('/log', [Agent, 'log']).answers(one(crashLog))
    router.get('/events', [Agent, 'events']).answers(events)
  })
  .prefix('/api/v1/agent')
  .access('signedIn')
  .ability('chat')
  .use(api)

import router from '@adonisjs/core/services/router'
import { json } from '#openapi/answer'
import { description } from '#openapi/shapes/installation'
import { programs } from '#start/kernel'

const Health = () => import('#controllers/health_controller')
const OpenApi = () => import('#controllers/api/openapi_controller')
const Metrics = () => import('#controllers/metrics_controller')

router.get('/health/live', [Health, 'live']).access('anyone')
router.get('/health/ready', [Health, 'ready']).access('anyone')

/** The controller checks access: a scraper on this machine has no session. */
router.get('/metrics', [Metrics, 'show']).access('anyone').use(programs)

/** The API description, for client generators. */
router
  .get('/api/v1/openapi.json', [OpenApi, 'show'])
  .as('openapi.show')
  .answers(json(description))
  .access('anyone')

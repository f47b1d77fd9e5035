import router from '@adonisjs/core/services/router'
import {
  findingChangesValidator,
  findingSearchValidator,
  findingsValidator,
  findingValidator,
} from '#validators/knowledge'
import { nothing, one, page } from '#openapi/answer'
import { finding, foundFindings } from '#openapi/shapes/knowledge'
import { api } from '#start/kernel'

const Findings = () => import('#controllers/api/findings_controller')

/** What a user and their agent know. */
router
  .group(() => {
    router
      .get('/findings', [Findings, 'index'])
      .as('findings.index')
      .answers(page(finding))
      .asks(findingsValidator)
    router
      .post('/findings', [Findings, 'store'])
      .as('findings.store')
      .answers(one(finding, 201))
      .takes(findingValidator)
    /** Looks, though it posts: what is searched for stands in no address. */
    router
      .post('/findings/search', [Findings, 'search'])
      .as('findings.search')
      .answers(one(foundFindings))
      .takes(findingSearchValidator)
      .ability('read')
    router.get('/findings/:id', [Findings, 'show']).as('findings.show').answers(one(finding))
    router
      .patch('/findings/:id', [Findings, 'update'])
      .as('findings.update')
      .answers(one(finding))
      .takes(findingChangesValidator)
    router.delete('/findings/:id', [Findings, 'destroy']).as('findings.destroy').answers(nothing)
  })
  .prefix('/api/v1')
  .access('signedIn')
  .use(api)

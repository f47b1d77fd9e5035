import router from '@adonisjs/core/services/router'
import {
  findingChangesValidator,
  findingSearchValidator,
  findingsValidator,
  findingValidator,
  forceValidator,
  archivedValidator,
  archiveRuleValidator,
  claimValidator,
  memoriesValidator,
  memoryKeyValidator,
  memoryValidator,
  taskChangesValidator,
  tasksValidator,
  taskValidator,
} from '#validators/knowledge'
import { file, nothing, one, sealedPage } from '#openapi/answer'
import {
  archiveRule,
  finding,
  foundFindings,
  foundMessages,
  keptConversation,
  memory,
  task,
  unreadable,
} from '#openapi/shapes/knowledge'
import { api } from '#start/kernel'

const Archive = () => import('#controllers/api/archive_controller')
const Knowledge = () => import('#controllers/api/knowledge_controller')
const Memories = () => import('#controllers/api/memories_controller')
const Tasks = () => import('#controllers/api/tasks_controller')
const Findings = () => import('#controllers/api/findings_controller')

/** What a user and their agent know. */
router
  .group(() => {
    router
      .get('/findings', [Findings, 'index'])
      .as('findings.index')
      .answers(sealedPage(finding))
      .asks(findingsValidator)
    router
      .post('/findings', [Findings, 'store'])
      .as('findings.store')
      .answers(one(finding, 201))
      .takes(findingValidator)
      .asks(forceValidator)
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

    router
      .get('/agent/memory', [Memories, 'index'])
      .as('memories.index')
      .answers(sealedPage(memory))
      .asks(memoriesValidator)
    router
      .get('/agent/memory/:key', [Memories, 'show'])
      .as('memories.show')
      .answers(one(memory))
      .asks(memoryKeyValidator)
    router
      .put('/agent/memory/:key', [Memories, 'update'])
      .as('memories.update')
      .answers(one(memory))
      .takes(memoryValidator)
    router
      .delete('/agent/memory/:key', [Memories, 'destroy'])
      .as('memories.destroy')
      .answers(nothing)
      .asks(memoryKeyValidator)

    router
      .get('/tasks', [Tasks, 'index'])
      .as('tasks.index')
      .answers(sealedPage(task))
      .asks(tasksValidator)
    router
      .post('/tasks', [Tasks, 'store'])
      .as('tasks.store')
      .answers(one(task, 201))
      .takes(taskValidator)
    router.get('/tasks/:id', [Tasks, 'show']).as('tasks.show').answers(one(task))
    router
      .patch('/tasks/:id', [Tasks, 'update'])
      .as('tasks.update')
      .answers(one(task))
      .takes(taskChangesValidator)
    router.delete('/tasks/:id', [Tasks, 'destroy']).as('tasks.destroy').answers(nothing)
    router
      .post('/tasks/:id/claim', [Tasks, 'claim'])
      .as('tasks.claim')
      .answers(one(task))
      .takes(claimValidator)

    router.get('/archive', [Archive, 'show']).as('archive.show').answers(one(archiveRule))
    router
      .put('/archive', [Archive, 'update'])
      .as('archive.update')
      .answers(one(archiveRule))
      .takes(archiveRuleValidator)
    router
      .get('/archive/conversations', [Archive, 'index'])
      .as('archive.index')
      .ability('chat')
      .answers(sealedPage(keptConversation))
      .asks(archivedValidator)
    router
      .get('/archive/search', [Archive, 'search'])
      .as('archive.search')
      .ability('chat')
      .answers(one(foundMessages))
      .asks(findingSearchValidator)
    router.delete('/archive/:id', [Archive, 'destroy']).as('archive.destroy').answers(nothing)

    router
      .get('/knowledge/export', [Knowledge, 'export'])
      .as('knowledge.export')
      .ability('chat')
      .answers(file('application/x-ndjson'))
    router
      .get('/knowledge/unreadable', [Knowledge, 'unreadable'])
      .as('knowledge.unreadable')
      .answers(one(unreadable))
    router
      .delete('/knowledge/unreadable', [Knowledge, 'destroyUnreadable'])
      .as('knowledge.unreadable.destroy')
      .answers(one(unreadable))
  })
  .prefix('/api/v1')
  .access('signedIn')
  .use(api)

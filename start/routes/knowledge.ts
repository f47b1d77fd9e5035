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
import { file, nothing, one, page, sealedPage } from '#openapi/answer'
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
      .answers(sealedPage(finding))
      .asks(findingsValidator)
    router
      .post('/findings', [Findings, 'store'])
      .answers(one(finding, 201))
      .takes(findingValidator)
      .asks(forceValidator)
    /** A read, sent by POST so that the search text appears in no URL or access log. */
    router
      .post('/findings/search', [Findings, 'search'])
      .answers(page(foundFindings.items))
      .takes(findingSearchValidator)
      .ability('read')
    router.get('/findings/:id', [Findings, 'show']).answers(one(finding))
    router
      .patch('/findings/:id', [Findings, 'update'])
      .answers(one(finding))
      .takes(findingChangesValidator)
    router.delete('/findings/:id', [Findings, 'destroy']).answers(nothing)

    router
      .get('/agent/memory', [Memories, 'index'])
      .answers(sealedPage(memory))
      .asks(memoriesValidator)
    router
      .get('/agent/memory/:key', [Memories, 'show'])
      .answers(one(memory))
      .asks(memoryKeyValidator)
    router
      .put('/agent/memory/:key', [Memories, 'update'])
      .answers(one(memory))
      .takes(memoryValidator)
    router
      .delete('/agent/memory/:key', [Memories, 'destroy'])
      .answers(nothing)
      .asks(memoryKeyValidator)
      .takes(memoryKeyValidator)

    router.get('/tasks', [Tasks, 'index']).answers(sealedPage(task)).asks(tasksValidator)
    router.post('/tasks', [Tasks, 'store']).answers(one(task, 201)).takes(taskValidator)
    router.get('/tasks/:id', [Tasks, 'show']).answers(one(task))
    router.patch('/tasks/:id', [Tasks, 'update']).answers(one(task)).takes(taskChangesValidator)
    router.delete('/tasks/:id', [Tasks, 'destroy']).answers(nothing)
    router.post('/tasks/:id/claim', [Tasks, 'claim']).answers(one(task)).takes(claimValidator)

    router.get('/archive', [Archive, 'show']).answers(one(archiveRule))
    router
      .put('/archive', [Archive, 'update'])
      .answers(one(archiveRule))
      .takes(archiveRuleValidator)
    router
      .get('/archive/conversations', [Archive, 'index'])
      .ability('chat')
      .answers(sealedPage(keptConversation))
      .asks(archivedValidator)
    router
      .get('/archive/search', [Archive, 'search'])
      .ability('chat')
      .answers(page(foundMessages.items))
      .asks(findingSearchValidator)
    router.delete('/archive/:id', [Archive, 'destroy']).answers(nothing)

    router
      .get('/knowledge/export', [Knowledge, 'export'])
      .ability('chat')
      .answers(file('application/x-ndjson'))
    router.get('/knowledge/unreadable', [Knowledge, 'unreadable']).answers(one(unreadable))
    router
      .delete('/knowledge/unreadable', [Knowledge, 'destroyUnreadable'])
      .as('knowledge.unreadable.destroy')
      .answers(one(unreadable))
  })
  .prefix('/api/v1')
  .access('signedIn')
  .use(api)

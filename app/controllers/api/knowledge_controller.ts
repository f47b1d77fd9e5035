import type { HttpContext } from '@adonisjs/core/http'
import app from '@adonisjs/core/services/app'

/** `/api/v1/knowledge`: everything that is known of the caller. */
export default class KnowledgeController {
  /** Exports all of it as a file. */
  async export({ auth, response }: HttpContext) {
    const knowledge = await app.container.make('knowledge.export')
    const lines = knowledge.stream(auth.user!.id)
    response.header('content-type', 'application/x-ndjson; charset=utf-8')
    response.header('content-disposition', 'attachment; filename="knowledge.jsonl"')
    response.header('cache-control', 'no-store')
    return response.stream(lines)
  }

  /** Counts the entries whose key is lost. */
  async unreadable({ auth }: HttpContext) {
    const unreadable = await app.container.make('knowledge.unreadable')
    return { data: { count: await unreadable.count(auth.user!.id) } }
  }

  /** Deletes them, and tells how many. */
  async destroyUnreadable({ auth }: HttpContext) {
    const unreadable = await app.container.make('knowledge.unreadable')
    return { data: { count: await unreadable.delete(auth.user!.id) } }
  }
}

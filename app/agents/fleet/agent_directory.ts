import AgentSummary from '#models/agent_summary'
import { whereContains } from '#models/folded'
import type { AgentStatus } from '#models/types'
import { FIRST_PAGE, PAGE_LIMIT, type PageQuery } from '#models/page'

export interface AgentQuery extends PageQuery {
  status?: AgentStatus
  /** Part of the owner's name or email address. */
  search?: string
}

/** User agents as admins see them: owner and status, but no content. */
export class AgentDirectory {
  list({ page = FIRST_PAGE, limit = PAGE_LIMIT, status, search }: AgentQuery) {
    const query = AgentSummary.query().preload('user').orderBy('created_at').orderBy('id')
    if (status) query.where('status', status)
    if (search) {
      query.whereHas('user', (users) => whereContains(users, ['name', 'email'], search))
    }
    return query.paginate(page, limit)
  }
}

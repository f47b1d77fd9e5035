/** The requests that the swarm driver makes to a manager. They are let through only where the operator allows it. */
import { only } from '#socket_proxy/call'
import { NAME, type ContainerRuleParts } from '#socket_proxy/container_rules'
import { ownFilters } from '#socket_proxy/filters'
import { Refusal } from '#socket_proxy/refusal'
import { ServiceRules, type Stored } from '#socket_proxy/service_rules'
import type { Route, Rule, Ruling } from '#socket_proxy/routes'

interface FoundNode {
  ID: string
  Spec: Record<string, unknown>
}

const LOG_PARAMETERS = ['follow', 'stdout', 'stderr', 'since', 'timestamps', 'tail']

export class SwarmRoutes {
  readonly #parts: ContainerRuleParts
  readonly #rules: ServiceRules

  constructor(parts: ContainerRuleParts) {
    this.#parts = parts
    this.#rules = new ServiceRules(parts)
  }

  get all(): Route[] {
    return [
      this.#list('services'),
      this.#list('tasks'),
      ...this.#nodes(),
      ...this.#services(),
      ...this.#stored('secrets'),
      ...this.#stored('configs'),
    ]
  }

  /** Rebuilds the body of a network's create. @throws Refusal */
  create(body: unknown): unknown {
    return this.#rules.network(body)
  }

  #list(kind: string): Route {
    const rule: Rule = ({ query }) => {
      const { filters } = only(query, 'filters')
      const own = ownFilters(filters, this.#parts.installation)
      return { method: 'GET', path: `/${kind}`, query: { filters: own } }
    }
    return { method: 'GET', path: kind, rule }
  }

  #nodes(): Route[] {
    const plain = (path: string, to: (name: string) => string): Route => ({
      method: 'GET',
      path,
      rule: (_, name) => ({ method: 'GET', path: to(name) }),
    })
    const update: Rule = async ({ query, readBody }, name) => {
      const found = await this.#parts.engine.look<FoundNode>(`/nodes/${checked(name)}`)
      if (!found) return missing('node', name)
      const body = this.#rules.node(await readBody(), found.Spec)
      return { method: 'POST', path: `/nodes/${found.ID}/update`, query: version(query), body }
    }
    return [
      plain('nodes', () => '/nodes'),
      plain('nodes/:name', (name) => `/nodes/${checked(name)}`),
      { method: 'POST', path: 'nodes/:name/update', rule: update },
    ]
  }

  #services(): Route[] {
    const create: Rule = async ({ readBody }) => ({
      method: 'POST',
      path: '/services/create',
      body: await this.#rules.spec(await readBody()),
    })
    const inspect: Rule = async (_, name) => {
      const found = await this.#find(name)
      if (!found) return missing('service', name)
      if (this.#owns(found)) return { status: 200, answer: found }
      // That the name is taken, and nothing else.
      const { ID, Spec } = found
      return { status: 200, answer: { ID, Spec: { Name: Spec.Name, Labels: {} } } }
    }
    const update: Rule = async ({ query, readBody }, name) => {
      const found = await this.#ours(name)
      if (!found) return missing('service', name)
      const body = (await this.#rules.spec(await readBody())) as { Name: string }
      if (body.Name !== found.Spec.Name) throw new Refusal('A service keeps its name')
      return { method: 'POST', path: `/services/${found.ID}/update`, query: version(query), body }
    }
    const logs: Rule = async ({ query }, name) => {
      const found = await this.#ours(name)
      if (!found) return missing('service', name)
      const path = `/services/${found.ID}/logs`
      return { method: 'GET', path, query: only(query, ...LOG_PARAMETERS) }
    }
    const remove: Rule = async (_, name) => {
      const found = await this.#ours(name)
      if (!found) return missing('service', name)
      return { method: 'DELETE', path: `/services/${found.ID}` }
    }
    return [
      { method: 'POST', path: 'services/create', rule: create },
      { method: 'GET', path: 'services/:name', rule: inspect },
      { method: 'POST', path: 'services/:name/update', rule: update },
      { method: 'GET', path: 'services/:name/logs', rule: logs },
      { method: 'DELETE', path: 'services/:name', rule: remove },
    ]
  }

  #stored(kind: 'secrets' | 'configs'): Route[] {
    const create: Rule = async ({ readBody }) => ({
      method: 'POST',
      path: `/${kind}/create`,
      body: this.#rules.stored(await readBody()),
    })
    const inspect: Rule = async (_, name) => {
      const found = await this.#rules.ours(kind, checked(name))
      return found ? { status: 200, answer: found } : missing(kind, name)
    }
    const update: Rule = async ({ query, readBody }, name) => {
      const found = await this.#rules.ours(kind, checked(name))
      if (!found) return missing(kind, name)
      const body = this.#rules.stored(await readBody())
      return { method: 'POST', path: `/${kind}/${found.ID}/update`, query: version(query), body }
    }
    const remove: Rule = async (_, name) => {
      const found = await this.#rules.ours(kind, checked(name))
      return found ? { method: 'DELETE', path: `/${kind}/${found.ID}` } : missing(kind, name)
    }
    return [
      this.#list(kind),
      { method: 'POST', path: `${kind}/create`, rule: create },
      { method: 'GET', path: `${kind}/:name`, rule: inspect },
      { method: 'POST', path: `${kind}/:name/update`, rule: update },
      { method: 'DELETE', path: `${kind}/:name`, rule: remove },
    ]
  }

  #find(name: string): Promise<Stored | null> {
    return this.#parts.engine.look<Stored>(`/services/${checked(name)}`)
  }

  #owns({ Spec }: Stored): boolean {
    return this.#parts.installation.owns(Spec.Labels)
  }

  async #ours(name: string): Promise<Stored | null> {
    const found = await this.#find(name)
    if (found && !this.#owns(found)) {
      throw new Refusal(`The service ${name} was not made by this installation`)
    }
    return found
  }
}

function version(query: URLSearchParams): { version: string } {
  const { version: number } = only(query, 'version')
  if (/^\d{1,20}$/.test(number ?? '')) return { version: number }
  throw new Refusal('The version is missing', 400)
}

function checked(name: string): string {
  if (NAME.test(name)) return name
  throw new Refusal('This is no name', 400)
}

function missing(kind: string, name: string): Ruling {
  return { status: 404, answer: { message: `No such ${kind}: ${name}` } }
}

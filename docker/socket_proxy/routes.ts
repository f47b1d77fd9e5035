/**
 * Every request that the docker driver makes; the proxy refuses all others. A rule checks the request's object
 * and returns the request to forward, with the engine's own ID of the object: the name could move to another
 * object between the check and the action.
 */
import {
  foreignContainer,
  foreignNetwork,
  foreignVolume,
  serverContainer,
} from '#socket_proxy/answers'
import { only, type Call } from '#socket_proxy/call'
import {
  NAME,
  PURPOSE_LABEL,
  type ContainerRuleParts,
  ContainerRules,
} from '#socket_proxy/container_rules'
import { NetworkRules } from '#socket_proxy/network_rules'
import { ownFilters } from '#socket_proxy/filters'
import { SwarmRoutes } from '#socket_proxy/swarm_routes'
import { isObject } from '#socket_proxy/shape'
import { Refusal } from '#socket_proxy/refusal'
import type { FoundContainer, FoundNetwork } from '#socket_proxy/belongings'
import type { Engine, Outgoing } from '#socket_proxy/engine'

/** The outcome for a request: forward it, or answer it here. */
export type Ruling =
  | (Outgoing & {
      /** The body to forward; a stream is passed through. */
      body?: unknown
      stream?: boolean
    })
  | { status: number; answer: unknown }

/** Reads the request's body as JSON; undefined if there is none. */
export type ReadBody = () => Promise<unknown>

interface Request extends Call {
  readBody: ReadBody
  /** The remote address. */
  caller: string
  /** Registry credentials, forwarded with a pull. */
  registryAuth?: string
}

export type Rule = (request: Request, name: string) => Promise<Ruling> | Ruling

export interface Route {
  method: string
  /** Path pattern; `:name` matches a name, `*` an image reference of any number of segments. */
  path: string
  rule: Rule
}

/** Agents' files that Mosaic reads: the token, and the data when an agent moves. */
const READABLE = /^(?:\/run\/mosaic\/secrets\.json|\/home\/node\/\.openclaw\/?\.?|\/filled\/?\.?)$/
const FILLABLE = /^\/(?:filled\/?\.?)?$/

export class Routes {
  readonly #engine: Engine
  readonly #parts: ContainerRuleParts
  readonly #containers: ContainerRules
  readonly #networks: NetworkRules
  readonly #swarm: SwarmRoutes | null
  readonly #routes: Route[]

  constructor(engine: Engine, parts: ContainerRuleParts) {
    this.#engine = engine
    this.#parts = parts
    this.#containers = new ContainerRules(parts)
    this.#networks = new NetworkRules(parts.config, parts.installation)
    this.#swarm = parts.config.swarm ? new SwarmRoutes(parts) : null
    this.#routes = [
      ...this.#engineRoutes(),
      ...this.#containerRoutes(),
      ...this.#volumeRoutes(),
      ...this.#networkRoutes(),
      ...this.#imageRoutes(),
      ...(this.#swarm?.all ?? []),
    ]
  }

  /** @throws Refusal */
  async rule(request: Request): Promise<Ruling> {
    for (const { method, path, rule } of this.#routes) {
      if (method !== request.method) continue
      const name = matched(path.split('/'), request.segments)
      if (name !== null) return rule(request, name)
    }
    throw new Refusal(`${request.method} /${request.segments.join('/')} is not allowed`)
  }

  #engineRoutes(): Route[] {
    const plain = (method: string, path: string): Route => ({
      method,
      path,
      rule: () => ({ method, path: `/${path}` }),
    })
    const events: Rule = ({ query }) => ({
      method: 'GET',
      path: '/events',
      query: { ...only(query, 'since', 'until'), ...this.#filtered(query) },
    })
    return [
      plain('GET', '_ping'),
      plain('HEAD', '_ping'),
      plain('GET', 'version'),
      plain('GET', 'info'),
      { method: 'GET', path: 'events', rule: events },
    ]
  }

  #containerRoutes(): Route[] {
    const verb = (verbName: string, ...parameters: string[]): Route => ({
      method: 'POST',
      path: `containers/:name/${verbName}`,
      rule: async ({ query }, name) => {
        const path = await this.#ofOurs(name, verbName)
        return { method: 'POST', path, query: only(query, ...parameters) }
      },
    })
    const look = (what: string, ...parameters: string[]): Route => ({
      method: 'GET',
      path: `containers/:name/${what}`,
      rule: async ({ query }, name) => {
        const path = await this.#ofOurs(name, what)
        return { method: 'GET', path, query: only(query, ...parameters) }
      },
    })
    return [
      { method: 'GET', path: 'containers/json', rule: (request) => this.#list(request) },
      { method: 'POST', path: 'containers/create', rule: (request) => this.#create(request) },
      {
        method: 'GET',
        path: 'containers/:name/json',
        rule: (one, name) => this.#inspect(one, name),
      },
      look('logs', 'follow', 'stdout', 'stderr', 'since', 'until', 'timestamps', 'tail'),
      look('stats', 'stream', 'one-shot'),
      verb('start'),
      verb('stop', 't'),
      verb('kill', 'signal'),
      verb('pause'),
      verb('unpause'),
      verb('wait', 'condition'),
      {
        method: 'POST',
        path: 'containers/:name/update',
        rule: (one, name) => this.#update(one, name),
      },
      { method: 'DELETE', path: 'containers/:name', rule: (one, name) => this.#remove(one, name) },
      {
        method: 'GET',
        path: 'containers/:name/archive',
        rule: (one, name) => this.#read(one, name),
      },
      {
        method: 'PUT',
        path: 'containers/:name/archive',
        rule: (one, name) => this.#fill(one, name),
      },
    ]
  }

  #volumeRoutes(): Route[] {
    const { belongings } = this.#parts
    const create: Rule = async ({ readBody }) => ({
      method: 'POST',
      path: '/volumes/create',
      body: this.#networks.volume(await readBody()),
    })
    const inspect: Rule = async (_, name) => {
      const found = await belongings.volume(checked(name))
      if (!found) return missing('volume', name)
      return { status: 200, answer: belongings.owns(found) ? found : foreignVolume(found) }
    }
    const remove: Rule = async (_, name) => {
      if (!(await belongings.ourVolume(checked(name)))) return missing('volume', name)
      return { method: 'DELETE', path: `/volumes/${name}` }
    }
    const list: Rule = ({ query }) => ({
      method: 'GET',
      path: '/volumes',
      query: this.#filtered(query),
    })
    return [
      { method: 'GET', path: 'volumes', rule: list },
      { method: 'POST', path: 'volumes/create', rule: create },
      { method: 'GET', path: 'volumes/:name', rule: inspect },
      { method: 'DELETE', path: 'volumes/:name', rule: remove },
    ]
  }

  #networkRoutes(): Route[] {
    const { belongings } = this.#parts
    const told = (found: FoundNetwork) => (belongings.owns(found) ? found : foreignNetwork(found))
    const list: Rule = async ({ query }) => {
      const { filters } = only(query, 'filters')
      const wanted = filters ? `?${new URLSearchParams({ filters })}` : ''
      const found = await this.#engine.look<FoundNetwork[]>(`/networks${wanted}`)
      return { status: 200, answer: (found ?? []).map(told) }
    }
    const create: Rule = async ({ readBody }) => {
      const body = await readBody()
      const isOfSwarm = isObject(body) && body.Scope === 'swarm'
      const rules = (isOfSwarm && this.#swarm) || this.#networks
      return { method: 'POST', path: '/networks/create', body: rules.create(body) }
    }
    const inspect: Rule = async (_, name) => {
      const found = await belongings.network(checked(name))
      return found ? { status: 200, answer: told(found) } : missing('network', name)
    }
    const remove: Rule = async (_, name) => {
      const found = await belongings.ourNetwork(checked(name))
      return found ? { method: 'DELETE', path: `/networks/${found.Id}` } : missing('network', name)
    }
    const membership = (verb: 'connect' | 'disconnect'): Route => ({
      method: 'POST',
      path: `networks/:name/${verb}`,
      rule: async ({ readBody, caller }, name) => {
        const found = await belongings.ourNetwork(checked(name))
        if (!found) return missing('network', name)
        const body = await readBody()
        const member = await this.#member(body, caller)
        return {
          method: 'POST',
          path: `/networks/${found.Id}/${verb}`,
          body: this.#networks.membership(body, member, verb),
        }
      },
    })
    return [
      { method: 'GET', path: 'networks', rule: list },
      { method: 'POST', path: 'networks/create', rule: create },
      { method: 'GET', path: 'networks/:name', rule: inspect },
      { method: 'DELETE', path: 'networks/:name', rule: remove },
      membership('connect'),
      membership('disconnect'),
    ]
  }

  #imageRoutes(): Route[] {
    const { images } = this.#parts
    const inspect: Rule = async (_, name) => {
      const found = await images.find(name)
      return found ? { status: 200, answer: found } : missing('image', name)
    }
    const pull: Rule = ({ query, registryAuth }) => {
      const {
        fromImage = '',
        tag,
        fromSrc,
        repo,
      } = only(query, 'fromImage', 'tag', 'fromSrc', 'repo')
      if (fromSrc || repo) throw new Refusal('Images may be fetched, not made')
      images.checkPull(tag ? `${fromImage}${/^sha256:/.test(tag) ? '@' : ':'}${tag}` : fromImage)
      return {
        method: 'POST',
        path: '/images/create',
        query: { fromImage, ...(tag ? { tag } : {}) },
        headers: registryAuth ? { 'x-registry-auth': registryAuth } : {},
      }
    }
    const tagging: Rule = async ({ query }, name) => {
      const { repo = null, tag = null } = only(query, 'repo', 'tag')
      images.checkTag(repo, tag)
      const found = await images.find(name)
      if (!found) return missing('image', name)
      return { method: 'POST', path: `/images/${found.Id}/tag`, query: { repo: repo!, tag: tag! } }
    }
    return [
      { method: 'POST', path: 'images/create', rule: pull },
      { method: 'GET', path: 'images/*/json', rule: inspect },
      { method: 'POST', path: 'images/*/tag', rule: tagging },
    ]
  }

  #filtered(query: URLSearchParams): { filters: string } {
    const { filters } = only(query, 'filters')
    return { filters: ownFilters(filters, this.#parts.installation) }
  }

  #list({ query }: Request): Ruling {
    const parameters = { ...only(query, 'all', 'limit', 'size'), ...this.#filtered(query) }
    return { method: 'GET', path: '/containers/json', query: parameters }
  }

  async #create({ query, readBody }: Request): Promise<Ruling> {
    const { name = null } = only(query, 'name')
    const body = await this.#containers.create(await readBody(), name)
    return {
      method: 'POST',
      path: '/containers/create',
      query: name === null ? {} : { name },
      body,
    }
  }

  async #inspect({ caller }: Request, name: string): Promise<Ruling> {
    const { belongings } = this.#parts
    const found = await belongings.container(checked(name))
    if (!found) return missing('container', name)
    if (belongings.ownsContainer(found)) return { status: 200, answer: found }
    const tell = belongings.isCaller(found, caller) ? serverContainer : foreignContainer
    return { status: 200, answer: tell(found) }
  }

  async #update({ readBody }: Request, name: string): Promise<Ruling> {
    const path = await this.#ofOurs(name, 'update')
    return { method: 'POST', path, body: this.#containers.update(await readBody()) }
  }

  async #remove({ query }: Request, name: string): Promise<Ruling> {
    const { id } = await this.#ours(name)
    return { method: 'DELETE', path: `/containers/${id}`, query: only(query, 'force', 'v') }
  }

  async #read({ query }: Request, name: string): Promise<Ruling> {
    const { path = '' } = only(query, 'path')
    if (!READABLE.test(path)) throw new Refusal(`${path} may not be read`)
    return { method: 'GET', path: await this.#ofOurs(name, 'archive'), query: { path } }
  }

  async #fill({ query }: Request, name: string): Promise<Ruling> {
    const { path = '' } = only(query, 'path')
    const { id, purpose } = await this.#ours(name)
    if (purpose !== 'filler') throw new Refusal('Files may be put into volumes only')
    if (!FILLABLE.test(path)) throw new Refusal(`Nothing may be put into ${path}`)
    return { method: 'PUT', path: `/containers/${id}/archive`, query: { path }, stream: true }
  }

  /** Returns the path of an action on one of our containers. Refuses to start a filler. */
  async #ofOurs(name: string, what: string): Promise<string> {
    const { id, purpose } = await this.#ours(name)
    if (purpose === 'filler' && what === 'start') throw new Refusal('A filler is never started')
    return `/containers/${id}/${what}`
  }

  /** @throws Refusal if it belongs to someone else; a missing one keeps its name, so the engine reports it */
  async #ours(name: string): Promise<{ id: string; purpose?: string }> {
    const found = await this.#parts.belongings.ourContainer(checked(name))
    return { id: found?.Id ?? name, purpose: found?.Config?.Labels?.[PURPOSE_LABEL] }
  }

  /** Returns the container that joins or leaves a network: one of ours, or the caller's own. */
  async #member(body: unknown, caller: string): Promise<string> {
    const name = (body as { Container?: unknown } | undefined)?.Container
    const { belongings } = this.#parts
    const found: FoundContainer | null =
      typeof name === 'string' ? await belongings.container(checked(name)) : null
    if (found && (belongings.ownsContainer(found) || belongings.isCaller(found, caller)))
      return found.Id
    throw new Refusal('Only agents and the container that asks may join networks of agents')
  }
}

/** Returns the name in a matching path, an empty string if the pattern has none, or null without a match. */
function matched(pattern: string[], segments: string[]): string | null {
  const wild = pattern.indexOf('*')
  if (wild >= 0) {
    const after = pattern.length - wild - 1
    const name = segments.slice(wild, segments.length - after)
    if (name.length === 0 || matched(pattern.slice(0, wild), segments.slice(0, wild)) === null)
      return null
    if (after > 0 && segments.slice(-after).join('/') !== pattern.slice(-after).join('/'))
      return null
    return name.join('/')
  }
  if (pattern.length !== segments.length) return null
  let name = ''
  for (const [index, part] of pattern.entries()) {
    if (part === ':name') name = segments[index]
    else if (part !== segments[index]) return null
  }
  return name
}

function checked(name: string): string {
  if (NAME.test(name)) return name
  throw new Refusal('This is no name', 400)
}

function missing(kind: string, name: string): Ruling {
  return { status: 404, answer: { message: `No such ${kind}: ${name}` } }
}

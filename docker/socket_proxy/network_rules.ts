import type { SocketProxyConfig } from '#socket_proxy/config'
import { INSTALLATION_LABEL, type Installation } from '#socket_proxy/installation'
import { NAME } from '#socket_proxy/container_rules'
import { Refusal } from '#socket_proxy/refusal'
import {
  flag,
  isObject,
  list,
  object,
  oneOf,
  optional,
  record,
  text,
  type Check,
} from '#socket_proxy/shape'

const ADDRESS = /^\d{1,3}(?:\.\d{1,3}){3}$/
const RANGE = /^\d{1,3}(?:\.\d{1,3}){3}\/\d{1,2}$/

const BRIDGE = 'com.docker.network.bridge'

/** Only Mosaic's own bridges: an existing one may lead into the operator's network. */
const BRIDGE_NAME = /^mosa?-[0-9a-f]{8}[a-z]?$/

const OPTIONS: Check = object({
  [`${BRIDGE}.name`]: text(BRIDGE_NAME),
  [`${BRIDGE}.enable_icc`]: optional(oneOf('false')),
  [`${BRIDGE}.inhibit_ipv4`]: optional(oneOf('true')),
})

const LABELS: Check = record(/^mosaic\.(installation|name)$/, text(/^[^\0]{1,256}$/))

const ENDPOINT: Check = object({
  Aliases: optional(list(text(/^[a-z0-9][a-z0-9.-]{0,62}$/), { max: 8 })),
})

/** Rules for networks and volumes created through the proxy. */
export class NetworkRules {
  readonly #installation: Installation
  readonly #range: Span
  readonly #network: Check

  constructor({ range }: Pick<SocketProxyConfig, 'range'>, installation: Installation) {
    this.#installation = installation
    this.#range = spanOf(range)
    this.#network = object({
      Name: text(NAME),
      CheckDuplicate: optional(flag),
      Driver: oneOf('bridge'),
      EnableIPv6: optional(oneOf(false)),
      Internal: optional(flag),
      Labels: LABELS,
      Options: OPTIONS,
      IPAM: optional(
        object({
          Driver: optional(oneOf('default')),
          Config: list(object({ Subnet: text(RANGE), Gateway: optional(text(ADDRESS)) }), {
            min: 1,
            max: 1,
          }),
        })
      ),
    })
  }

  /** Rebuilds the body of a create. @throws Refusal */
  create(body: unknown): unknown {
    this.#take(body)
    const checked = this.#network(body, '') as {
      IPAM?: { Config: { Subnet: string; Gateway?: string }[] }
    }
    for (const { Subnet, Gateway } of checked.IPAM?.Config ?? []) {
      if (!isWithin(this.#range, spanOf(Subnet))) {
        throw new Refusal(`${Subnet} lies outside the range of agents: SOCKET_PROXY_RANGE`)
      }
      if (Gateway && !isWithin(spanOf(Subnet), spanOf(`${Gateway}/32`))) {
        throw new Refusal(`${Gateway} lies outside ${Subnet}`)
      }
    }
    return checked
  }

  /** Returns the body of a connect or disconnect; `container` is the ID that was checked. */
  membership(body: unknown, container: string, verb: 'connect' | 'disconnect'): unknown {
    const shape: Record<string, Check> = { Container: () => container }
    if (verb === 'connect') shape.EndpointConfig = optional(ENDPOINT)
    else shape.Force = optional(flag)
    return object(shape)(body, '')
  }

  /** Rebuilds the body of a volume create, because driver options could bind any folder. */
  volume(body: unknown): unknown {
    this.#take(body)
    return object({
      Name: text(NAME),
      Driver: optional(oneOf('local')),
      Labels: LABELS,
    })(body, '')
  }

  #take(body: unknown): void {
    const labels = isObject(body) && isObject(body.Labels) ? body.Labels : {}
    this.#installation.take(labels[INSTALLATION_LABEL])
  }
}

interface Span {
  first: number
  last: number
}

function spanOf(range: string): Span {
  const [base, bits] = range.split('/')
  const parts = base.split('.').map(Number)
  const width = Number(bits)
  if (!RANGE.test(range) || parts.some((part) => part > 255) || width > 32) {
    throw new Refusal(`${range} is no range of addresses`, 400)
  }
  const size = 2 ** (32 - width)
  const first = Math.floor(parts.reduce((sum, part) => sum * 256 + part, 0) / size) * size
  return { first, last: first + size - 1 }
}

function isWithin(outer: Span, inner: Span): boolean {
  return outer.first <= inner.first && inner.last <= outer.last
}

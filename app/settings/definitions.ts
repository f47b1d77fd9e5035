/**
 * Every setting, with its type, its default and whether it is a secret. A setting is a row of `system_configs`;
 * without a row the default applies.
 */
import vine from '@vinejs/vine'
import { AGENT_DEFINITIONS } from '#settings/definitions/agents'
import { API_DEFINITIONS } from '#settings/definitions/api'
import { cidrRange, ipv4Range } from '#settings/cidr_range'
import { INSTALLATION_DEFINITIONS } from '#settings/definitions/installation'
import { text, whole } from '#settings/definitions/rules'
import { SIGN_IN_DEFINITIONS } from '#settings/definitions/sign_in'
import { operatorSetting, setting, signInSetting, type Definition } from '#settings/setting_kinds'
import type { UnlistedProxy } from '#settings/unlisted_proxies'
import { webAddress } from '#settings/web_address'

const dockerHost = () =>
  vine
    .string()
    .trim()
    .regex(/^(unix:\/\/\/\S+|tcp:\/\/[^\s/]+)$/)
    .maxLength(2048)
    .nullable()

export const DEFINITIONS = {
  ...INSTALLATION_DEFINITIONS,
  ...SIGN_IN_DEFINITIONS,

  /** Requests of one user per minute to each replica: caps a runaway program. */
  'limits.requestsPerMinute': setting<number>({ default: 6000, schema: whole(10, 100_000_000) }),
  /** Open responses of one user, chats and events, at each replica. */
  'limits.openStreams': setting<number>({ default: 1024, schema: whole(1, 1_000_000) }),

  /** Changes by one user to their own data per minute, at each replica: the audit record keeps every one. */
  'limits.changesPerMinute': setting<number>({ default: 300, schema: whole(10, 1_000_000) }),
  /** Providers per user. */
  'limits.providers': setting<number>({ default: 50, schema: whole(1, 100_000) }),
  /** Kilobytes of model data over all providers of one user: each start of an agent reads it. */
  'limits.providerKb': setting<number>({ default: 1024, schema: whole(16, 1_048_576) }),
  /** Access tokens per user. */
  'limits.tokens': setting<number>({ default: 100, schema: whole(1, 100_000) }),
  /** Sessions per user; a sign-in beyond the limit ends the least recently used one. */
  'limits.sessions': setting<number>({ default: 100, schema: whole(1, 100_000) }),
  /** Findings, memories and tasks that one user may have, all together. */
  'limits.knowledgeRows': setting<number>({ default: 20_000, schema: whole(10, 10_000_000) }),
  /** Megabytes that they may take, before they are sealed. */
  'limits.knowledgeMb': setting<number>({ default: 64, schema: whole(1, 1_048_576) }),
  /** Megabytes of archived conversations per user; the oldest messages are deleted first. */
  'limits.archiveMb': setting<number>({ default: 256, schema: whole(1, 1_048_576) }),
  /** Megabytes of requests to agents that each replica holds for one user. */
  'limits.bodyMb': setting<number>({ default: 64, schema: whole(10, 1_048_576) }),
  /** The same, over all users. */
  'limits.bodiesMb': setting<number>({ default: 256, schema: whole(10, 1_048_576) }),
  /** Seconds within which a request to an agent must arrive. */
  'limits.uploadSec': setting<number>({ default: 120, schema: whole(5, 3600) }),

  ...API_DEFINITIONS,

  /** The runtime driver of new instances. */
  'runtime.driver': setting<string>({ default: 'process', schema: vine.string().maxLength(64) }),
  /** The image, for drivers that use one. */
  'runtime.image': operatorSetting<string | null>({ default: null, schema: text() }),
  'runtime.memoryMb': setting<number>({ default: 2048, schema: whole(256, 1_048_576) }),
  'runtime.cpus': setting<number>({ default: 2, schema: vine.number().min(0.1).max(1024) }),
  'runtime.processes': setting<number>({ default: 512, schema: whole(32, 65_536) }),
  /** Megabytes of one agent's data that may move to another runtime. */
  'runtime.moveMb': setting<number>({ default: 32_768, schema: whole(1, 1_048_576) }),

  /** The docker driver's engine, `unix:///path` or `tcp://host:port`; null: DOCKER_HOST, else the local one. */
  'docker.host': operatorSetting<string | null>({ default: null, schema: dockerHost() }),
  /** Whether agents in containers reach the public internet, or only Mosaic. */
  'docker.egress': setting<'open' | 'sealed'>({
    default: 'open',
    schema: vine.enum(['open', 'sealed'] as const),
  }),
  /** When to fetch the image: if the engine lacks it, before each start, or by hand. */
  'docker.pullPolicy': setting<'missing' | 'always' | 'never'>({
    default: 'missing',
    schema: vine.enum(['missing', 'always', 'never'] as const),
  }),
  /** The range from which each agent gets eight addresses, if Mosaic itself runs in a container. */
  'docker.range': setting<string>({
    default: '10.213.0.0/16',
    schema: vine
      .string()
      .trim()
      .use(ipv4Range({ longest: 29 })),
  }),

  /** The swarm driver's manager, as `docker.host`. */
  'swarm.host': operatorSetting<string | null>({ default: null, schema: dockerHost() }),
  /** A folder that all nodes of the swarm have mounted; null keeps agents' data in volumes of single nodes. */
  'swarm.sharedPath': operatorSetting<string | null>({
    default: null,
    schema: vine
      .string()
      .trim()
      .regex(/^(\/[\w.-]+)+$/)
      .maxLength(1024)
      .nullable(),
  }),
  /** A plugin that all nodes of the swarm have, for volumes that all of them reach; `swarm.sharedPath` goes first. */
  'swarm.volumeDriver': operatorSetting<string | null>({
    default: null,
    schema: vine
      .string()
      .trim()
      .regex(/^[a-z0-9][\w.:/-]*$/i)
      // One place for all of its volumes, so that agents would share their data.
      .notIn(['local'])
      .maxLength(255)
      .nullable(),
  }),
  /** Options of its volumes. */
  'swarm.volumeOptions': operatorSetting<string[]>({
    default: [],
    schema: vine
      .array(
        vine
          .string()
          .trim()
          .regex(/^[\w.-]+=/)
          .maxLength(1024)
      )
      .maxLength(32),
  }),
  /** Ranges (CIDR) from which Mosaic connects to agents of a swarm, besides its own address and the nodes'. */
  'swarm.sources': operatorSetting<string[]>({
    default: [],
    schema: vine
      .array(
        vine
          .string()
          .trim()
          .use(ipv4Range({ longest: 32 }))
      )
      .maxLength(64),
  }),

  ...AGENT_DEFINITIONS,

  /** Mosaic's URL for browsers, such as `https://mosaic.example.org`. Default: the request's host. */
  'network.publicUrl': signInSetting<string | null>({
    default: null,
    schema: vine
      .string()
      .trim()
      .use(webAddress({ bare: true }))
      .maxLength(2048)
      .nullable(),
  }),
  /** Proxies (CIDR) whose `X-Forwarded-For`, `-Proto` and `-Host` are trusted; any other peer's are ignored. */
  'network.trustedProxies': setting<string[]>({
    default: [],
    schema: vine.array(vine.string().trim().use(cidrRange())).maxLength(64),
  }),
  /** Unlisted peers that forward requests: see `unlisted_proxies.ts`. */
  'network.unlistedProxies': setting<UnlistedProxy[]>({
    default: [],
    internal: true,
    schema: vine.array(
      vine.object({
        address: vine.string(),
        headers: vine.array(vine.string()),
        lastSeenAt: vine.string(),
      })
    ),
  }),
  /** Private ranges (CIDR) that providers may be in. */
  'network.allowedRanges': setting<string[]>({
    default: [],
    schema: vine.array(vine.string().trim().use(cidrRange())).maxLength(64),
  }),
} satisfies Record<string, Definition<any>>

export type SettingKey = keyof typeof DEFINITIONS
export type SettingValue<Key extends SettingKey> = (typeof DEFINITIONS)[Key]['default']

export const definitionOf = (key: SettingKey): Definition<unknown> => DEFINITIONS[key]

/** Keys of the sealed settings. */
export const SECRET_SETTINGS = Object.keys(DEFINITIONS).filter(
  (key) => definitionOf(key as SettingKey).secret
)

/** JSON Schema of a settings change: values by key, null for the default. */
export const settingsDescription = {
  toJSONSchema() {
    const open = Object.entries<Definition<any>>(DEFINITIONS).filter(
      ([, { internal, changedBy }]) => !internal && changedBy !== 'operator'
    )
    const properties = open.map(([key, { schema }]) => {
      return [key, { anyOf: [schema.toJSONSchema(), { type: 'null' }] }]
    })
    return {
      type: 'object',
      properties: Object.fromEntries(properties),
      /** Options of runtimes. */
      patternProperties: { '^runtime\\.options\\.': {} },
      additionalProperties: false,
    }
  },
}

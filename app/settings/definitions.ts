/**
 * Every setting there is, with its type, its default and whether it is a secret. A setting is a row of
 * `system_configs`; where there is none, the default holds.
 */
import vine from '@vinejs/vine'
import { WAKE_POLICIES, type WakePolicy } from '#models/types'
import { cidrRange } from '#settings/cidr_range'
import { operatorSetting, setting, signInSetting, type Definition } from '#settings/setting_kinds'
import type { UnlistedProxy } from '#settings/unlisted_proxies'
import { webAddress } from '#settings/web_address'

const text = () => vine.string().trim().maxLength(2048).nullable()
const whole = (min: number, max: number) => vine.number().withoutDecimals().min(min).max(max)

const claimValues = () => vine.array(vine.string().trim().minLength(1).maxLength(255)).maxLength(64)

const dockerHost = () =>
  vine
    .string()
    .trim()
    .regex(/^(unix:\/\/\/\S+|tcp:\/\/[^\s/]+)$/)
    .maxLength(2048)
    .nullable()

export const DEFINITIONS = {
  /** Set by the last step of the onboarding. Until then every page leads there. */
  'onboarding.completed': setting<boolean>({
    default: false,
    internal: true,
    schema: vine.boolean(),
  }),
  /** The steps of the onboarding that were answered or skipped. */
  'onboarding.steps': setting<string[]>({
    default: [],
    internal: true,
    schema: vine.array(vine.string()),
  }),
  /** Whether someone has taken this installation: with the setup link, or from its command line. */
  'onboarding.claimed': setting<boolean>({
    default: false,
    internal: true,
    schema: vine.boolean(),
  }),
  /** Whether an admin has put the list of what is left to do aside. */
  'onboarding.checklistHidden': setting<boolean>({
    default: false,
    internal: true,
    schema: vine.boolean(),
  }),
  /** Whether an admin has said that there is a backup. */
  'onboarding.backupMade': setting<boolean>({
    default: false,
    internal: true,
    schema: vine.boolean(),
  }),
  /** The label of everything that this installation starts. Made at first boot. */
  'installation.id': setting<string | null>({ default: null, internal: true, schema: text() }),
  /** A text sealed with the installation's key: a wrong key cannot open it. */
  'vault.sentinel': setting<string | null>({
    default: null,
    secret: true,
    internal: true,
    schema: text(),
  }),

  /** Sealed the audit record in earlier versions: see `legacyAuditKey`. */
  'audit.key': setting<string | null>({
    default: null,
    secret: true,
    internal: true,
    schema: text(),
  }),

  'oidc.issuerUrl': signInSetting<string | null>({ default: null, schema: text() }),
  'oidc.clientId': signInSetting<string | null>({ default: null, schema: text() }),
  'oidc.clientSecret': signInSetting<string | null>({
    default: null,
    secret: true,
    schema: text(),
  }),
  /** What the sign-in page calls the provider. Without it, the issuer's host. */
  'oidc.name': signInSetting<string | null>({
    default: null,
    schema: vine.string().trim().maxLength(64).nullable(),
  }),
  'oidc.scopes': signInSetting<string>({
    default: 'openid profile email',
    schema: vine
      .string()
      .trim()
      .regex(/^openid( [\x21\x23-\x5B\x5D-\x7E]+)*$/)
      .maxLength(512),
  }),
  /** Whether everyone whom the provider lets in comes in, or only who was invited. */
  'oidc.signUp': signInSetting<'anyone' | 'invited'>({
    default: 'anyone',
    schema: vine.enum(['anyone', 'invited'] as const),
  }),
  /** The claim that gives roles; without one, they are given in Mosaic. */
  'oidc.roleClaim': signInSetting<string | null>({
    default: null,
    schema: vine.string().trim().maxLength(255).nullable(),
  }),
  'oidc.adminValues': signInSetting<string[]>({ default: [], schema: claimValues() }),
  /** Without a value, everyone who is no admin is a member. */
  'oidc.memberValues': signInSetting<string[]>({ default: [], schema: claimValues() }),
  /** Whether passwords other than the local admin accounts' are refused. Holds while it is tested. */
  'oidc.only': signInSetting<boolean>({ default: false, schema: vine.boolean({ strict: true }) }),
  /** The fingerprint of the settings that a test sign-in succeeded with. */
  'oidc.tested': setting<string | null>({ default: null, internal: true, schema: text() }),

  /** Hours without a request after which a session is over. Its row and cookie last a week. */
  'sessions.idleHours': signInSetting<number>({ default: 168, schema: whole(1, 168) }),
  /** Hours after its sign-in that a session is over in any case. */
  'sessions.lifetimeHours': signInSetting<number>({ default: 720, schema: whole(1, 8760) }),

  /** Requests of one user in a minute, to each replica of Mosaic: what a program gone wild is kept to. */
  'limits.requestsPerMinute': setting<number>({ default: 6000, schema: whole(10, 100_000_000) }),
  /** Answers of one user that are open at the same time, chats and events, at each replica of Mosaic. */
  'limits.openStreams': setting<number>({ default: 1024, schema: whole(1, 1_000_000) }),

  /** Changes of their own things that one user makes in a minute, at each replica: every one is kept in the record. */
  'limits.changesPerMinute': setting<number>({ default: 300, schema: whole(10, 1_000_000) }),
  /** Providers that one user may have. */
  'limits.providers': setting<number>({ default: 50, schema: whole(1, 100_000) }),
  /** Kilobytes that the models of all providers of one user may take: each start of an agent reads them. */
  'limits.providerKb': setting<number>({ default: 1024, schema: whole(16, 1_048_576) }),
  /** Access tokens that one user may have. */
  'limits.tokens': setting<number>({ default: 100, schema: whole(1, 100_000) }),
  /** Sessions of one user; a sign-in beyond them ends the one that was used longest ago. */
  'limits.sessions': setting<number>({ default: 100, schema: whole(1, 100_000) }),
  /** Megabytes of requests to agents that each replica of Mosaic holds for one user at the same time. */
  'limits.bodyMb': setting<number>({ default: 64, schema: whole(10, 1_048_576) }),
  /** The same for all users together. */
  'limits.bodiesMb': setting<number>({ default: 256, schema: whole(10, 1_048_576) }),
  /** Seconds that a request to an agent may take to arrive. */
  'limits.uploadSec': setting<number>({ default: 120, schema: whole(5, 3600) }),

  /** The server that takes mail (SMTP); without one, invitations are links to copy. */
  'mail.host': signInSetting<string | null>({
    default: null,
    schema: vine
      .string()
      .trim()
      .regex(/^[a-z0-9]([a-z0-9.:-]*[a-z0-9])?$/i)
      .maxLength(255)
      .nullable(),
  }),
  'mail.port': signInSetting<number>({ default: 587, schema: whole(1, 65_535) }),
  /** How the connection is protected: by STARTTLS, by TLS from its start, or not at all. */
  'mail.security': signInSetting<'starttls' | 'tls' | 'none'>({
    default: 'starttls',
    schema: vine.enum(['starttls', 'tls', 'none'] as const),
  }),
  'mail.username': signInSetting<string | null>({
    default: null,
    schema: vine.string().trim().maxLength(255).nullable(),
  }),
  'mail.password': signInSetting<string | null>({
    default: null,
    secret: true,
    schema: vine.string().maxLength(1024).nullable(),
  }),
  /** Who mail comes from, as an address. */
  'mail.from': signInSetting<string | null>({
    default: null,
    schema: vine
      .string()
      .trim()
      .regex(/^[^\s@<>"]+@[^\s@<>"]+$/)
      .maxLength(255)
      .nullable(),
  }),

  /** The runtime driver that new instances are made with. */
  'runtime.driver': setting<string>({ default: 'process', schema: vine.string().maxLength(64) }),
  /** The image of drivers that have one. */
  'runtime.image': operatorSetting<string | null>({ default: null, schema: text() }),
  'runtime.memoryMb': setting<number>({ default: 2048, schema: whole(256, 1_048_576) }),
  'runtime.cpus': setting<number>({ default: 2, schema: vine.number().min(0.1).max(1024) }),
  'runtime.processes': setting<number>({ default: 512, schema: whole(32, 65_536) }),
  /** Megabytes of one agent's data that move to another runtime. */
  'runtime.moveMb': setting<number>({ default: 32_768, schema: whole(1, 1_048_576) }),

  /** The engine of the docker driver, `unix:///path` or `tcp://host:port`; null = DOCKER_HOST, or here. */
  'docker.host': operatorSetting<string | null>({ default: null, schema: dockerHost() }),
  /** Whether agents in containers reach the public internet, or Mosaic alone. */
  'docker.egress': setting<'open' | 'sealed'>({
    default: 'open',
    schema: vine.enum(['open', 'sealed'] as const),
  }),
  /** When the image is fetched: if the engine lacks it, before each start, or by hand. */
  'docker.pullPolicy': setting<'missing' | 'always' | 'never'>({
    default: 'missing',
    schema: vine.enum(['missing', 'always', 'never'] as const),
  }),
  /** Range of which each agent gets eight addresses, where Mosaic runs in a container itself. */
  'docker.range': setting<string>({
    default: '10.213.0.0/16',
    schema: vine.string().trim().use(cidrRange()),
  }),

  /** Minutes without a user's act after which an agent sleeps, unless its owner says otherwise. */
  'agents.idleTimeoutMin': setting<number>({ default: 30, schema: whole(1, 10_080) }),
  /** What becomes of an agent that nobody uses, unless its owner says otherwise. */
  'agents.wakePolicy': setting<WakePolicy>({
    default: 'scale_to_zero',
    schema: vine.enum(WAKE_POLICIES),
  }),
  /** Minutes that a warm agent stays suspended before it is stopped. */
  'agents.suspendedMin': setting<number>({ default: 60, schema: whole(1, 10_080) }),
  /** Hours after its user's last act from which an agent's own work keeps it awake no longer. */
  'agents.maximumAgeHours': setting<number>({ default: 24, schema: whole(1, 8760) }),
  /** Seconds before a job of its schedule that a sleeping agent is woken. */
  'agents.wakeAheadSec': setting<number>({ default: 120, schema: whole(10, 3600) }),
  /** Whether the gateway of an idle agent keeps its worker threads: `app/openclaw/kept_timers.ts`. */
  'agents.keepWorkers': setting<boolean>({ default: true, schema: vine.boolean({ strict: true }) }),
  /** Agents that may start at the same time: starting one is bound by the processor. */
  'agents.startConcurrency': setting<number>({ default: 2, schema: whole(1, 64) }),
  /** Seconds from the start of an instance until its gateway must be ready. */
  'agents.bootTimeoutSec': setting<number>({ default: 180, schema: whole(5, 3600) }),
  /** Seconds that what an agent does gets to end before a stop becomes a kill. */
  'agents.stopGraceSec': setting<number>({ default: 20, schema: whole(0, 600) }),

  /** Where browsers find Mosaic, as `https://mosaic.example.org`; without it, what a request says. */
  'network.publicUrl': signInSetting<string | null>({
    default: null,
    schema: vine
      .string()
      .trim()
      .use(webAddress({ bare: true }))
      .maxLength(2048)
      .nullable(),
  }),
  /** Proxies (CIDR) whose `X-Forwarded-For`, `-Proto` and `-Host` are believed; nobody else's are. */
  'network.trustedProxies': setting<string[]>({
    default: [],
    schema: vine.array(vine.string().trim().use(cidrRange())).maxLength(64),
  }),
  /** Peers that forward requests and are not listed: see `unlisted_proxies.ts`. */
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
  /** Private ranges (CIDR) that providers' addresses may lead to. */
  'network.allowedRanges': setting<string[]>({
    default: [],
    schema: vine.array(vine.string().trim().use(cidrRange())).maxLength(64),
  }),
} satisfies Record<string, Definition<any>>

export type SettingKey = keyof typeof DEFINITIONS
export type SettingValue<Key extends SettingKey> = (typeof DEFINITIONS)[Key]['default']

export const definitionOf = (key: SettingKey): Definition<unknown> => DEFINITIONS[key]

/** Keys of the settings that are sealed. */
export const SECRET_SETTINGS = Object.keys(DEFINITIONS).filter(
  (key) => definitionOf(key as SettingKey).secret
)

/** A change of settings as JSON Schema: values by their keys, null for the default. */
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
      additionalProperties: false,
    }
  },
}

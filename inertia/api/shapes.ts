/** The JSON of `/api/v1` as the pages read it: see `docs/api.md`. Times are ISO 8601, ids opaque. */

export interface ApiError {
  code: string
  message: string
  field?: string
  hint?: string
}

export interface ListMeta {
  total: number
  page: number
  limit: number
  totalPages: number
}

export interface Listed<Item> {
  data: Item[]
  meta: ListMeta
}

export type Role = 'admin' | 'member'

export type AgentStatus = 'stopped' | 'starting' | 'running' | 'suspended' | 'stopping' | 'error'

export interface AgentView {
  status: AgentStatus
  /** From the closed list of reasons; set while `status` is `error`. */
  reason?: string | null
  message?: string | null
  hint?: string | null
  /** When the next try is allowed; only after a failure. */
  retryAt?: string | null
  desired: 'running' | 'stopped'
  runtime: string | null
  lastActiveAt: string | null
  startedAt: string | null
  /** When the agent will be put to sleep if nobody uses it until then. */
  idleStopAt?: string | null
  queuePosition?: number | null
  /** About how long it will wait there: milliseconds. */
  expectedWaitMs?: number | null
}

export type WakeStage = 'queued' | 'provisioning' | 'starting' | 'booting' | 'ready'

/** One step of a wake. Times in milliseconds. */
export interface WakeProgress {
  stage: WakeStage
  elapsedMs: number
  usualMs: number | null
  queuePosition?: number
  /** About how long it will wait there. */
  expectedWaitMs?: number
  /** The present step in words, for example "Fetching the image, layer 3 of 8". */
  detail?: string
}

export interface LlmModel {
  id: string
  name: string
  contextWindow?: number | null
  maxTokens?: number | null
}

export interface ProviderField {
  name: 'apiKey' | 'baseUrl' | 'apiType' | 'models'
  label: string
  required: boolean
  help?: string
  placeholder?: string
  options?: { value: string; label: string }[]
}

/** How one kind of service describes itself to the form. */
export interface ProviderType {
  type: string
  label: string
  description: string
  defaults: { baseUrl: string | null; apiType: string; models: LlmModel[] }
  fields: ProviderField[]
}

/** A secret as it is read back: never the secret. */
export interface SecretState {
  set: boolean
  last4?: string | null
  updatedAt?: string | null
}

export interface Provider {
  id: string
  type: string
  name: string
  displayName: string
  baseUrl: string | null
  apiKey: SecretState
  apiType: string
  models: LlmModel[]
  isActive: boolean
}

export interface ProviderInput {
  type: string
  name: string
  displayName: string
  baseUrl?: string | null
  apiKey?: string
  apiType?: string
  models: LlmModel[]
  isActive?: boolean
}

export type ConnectionFailure =
  | 'unauthorized'
  | 'not_found'
  | 'rate_limited'
  | 'timeout'
  | 'unreachable'
  | 'blocked_address'
  | 'bad_response'

export interface ConnectionTest {
  ok: boolean
  latencyMs: number
  models: LlmModel[]
  reason?: ConnectionFailure
  message?: string
  hint?: string
}

export interface AgentConfig {
  primaryModel: string | null
  fallbackModels: string[]
  personality: string | null
  providerId: string | null
  idleTimeoutMin: number | null
  wakePolicy: string
  profile: string
}

export interface ConversationSummary {
  id: string
  /** Where it began: on the page, or with a program that used an access token. */
  surface: 'web' | 'api'
  title: string | null
  preview: string | null
  updatedAt: string
}

export interface ConversationMessage {
  id: string
  role: 'user' | 'assistant'
  text: string
  at: string
}

export interface Conversation {
  id: string
  surface: 'web' | 'api'
  title: string | null
  /** The oldest first. */
  messages: ConversationMessage[]
  /** Gives the messages before these. */
  nextCursor: string | null
}

export interface AccessToken {
  id: string
  name: string | null
  /** Of `chat`, `read` and `manage`; an old one says `*`. */
  abilities: string[]
  createdAt: string
  lastUsedAt: string | null
  expiresAt: string | null
  /** Only in the answer that made it. */
  token?: string
}

export type OnboardingStep = 'breakglass' | 'auth' | 'provider' | 'systemAgents' | 'complete'

export interface OnboardingState {
  completed: boolean
  step: OnboardingStep
}

export interface AdminUser {
  id: string
  name: string | null
  email: string | null
  emailVerified: boolean
  image: string | null
  createdAt: string
  deactivatedAt: string | null
  isLocalAuth: boolean
  invitedAt: string | null
  invitedBy: string | null
  /** Invited, and not arrived yet. */
  isInvited: boolean
  role: Role
  agentStatus: AgentStatus | null
}

export interface AdminAgent {
  id: string
  userId: string
  name: string | null
  email: string | null
  idleTimeoutMin: number | null
  limits: AgentLimits | null
  status: AgentStatus
  reason: string | null
  desired: 'running' | 'stopped'
  runtime: string | null
  lastActiveAt: string | null
  startedAt: string | null
}

/** Ceilings of one agent. What is left out comes from the runtime's settings. */
export interface AgentLimits {
  memoryMb?: number
  cpus?: number
  processes?: number
}

export interface SystemAgent {
  id: string
  name: string
  role: string
  primaryModel: string | null
  limits: AgentLimits | null
  isActive: boolean
  status: AgentStatus
  reason: string | null
  desired: 'running' | 'stopped'
  runtime: string | null
  lastActiveAt: string | null
  startedAt: string | null
}

export interface RuntimeFinding {
  severity: 'error' | 'warning'
  code: string
  message: string
  hint: string
}

/** A runtime driver, and what is wrong with it here. */
export interface Runtime {
  name: string
  inUse: boolean
  /** No finding is an error. */
  usable: boolean
  isolation: 'none' | 'user' | 'sandbox' | 'container'
  limits: boolean
  /** Whether agents can come and go with their data. */
  movesData: boolean
  findings: RuntimeFinding[]
}

export type SettingValue = string | number | boolean | string[] | null

export interface AdminSetting {
  key: string
  /** Null for a secret, set or not. */
  value: SettingValue
  source: 'default' | 'database'
  secret: boolean
  set: boolean
  /** `operator`: on the command line alone. */
  changedBy: 'admin' | 'provenAdmin' | 'operator'
}

/** What is left to do after the set-up. */
export interface Checklist {
  hidden: boolean
  items: { name: ChecklistItem; done: boolean }[]
}

export type ChecklistItem =
  'runtime' | 'firstAnswer' | 'publicAddress' | 'proxies' | 'signIn' | 'people' | 'backup'

export interface AuditEntry {
  id: string
  actor: { id: string; name: string | null } | null
  action: string
  /** `name` where it is a person who is still here. */
  subject: { type: string; id: string | null; name: string | null } | null
  details: Record<string, unknown> | null
  address: string | null
  createdAt: string
  /** Whether a present key of Mosaic sealed it in its place. */
  verified: boolean
}

/** A service to sign in with, by its name, and the address that begins it. */
export interface SignInLink {
  name: string
  url: string
}

/** The ways in, and why the last attempt did not lead there. */
export interface SignInMethods {
  oidc: SignInLink | null
  /** Further services that are switched on. */
  services: SignInLink[]
  /** Whose passwords are taken. */
  passwords: 'all' | 'breakglass'
  failure: ApiError | null
}

export interface Me {
  id: string
  name: string
  email: string | null
  role: Role
  /** `breakglass`, `password`, `token`, `oidc`, or the name of another service. */
  signedInWith: string
}

export interface InvitationView extends Omit<SignInMethods, 'failure'> {
  email: string
  name: string
  expiresAt: string
}

/** A browser in which the user is signed in. */
export interface BrowserSession {
  id: string
  isCurrent: boolean
  /** As `signedInWith` of a person. */
  method: string
  agent: string | null
  address: string
  startedAt: string
  lastUsedAt: string
}

/** What became of a mail. */
export type MailDelivery =
  { sent: true } | { sent: false; reason: string; message: string; hint: string }

export interface SentInvitation {
  url: string
  expiresAt: string
  /** Null where mail is not set up. */
  mail: MailDelivery | null
}

export interface AdminUserDetails extends AdminUser {
  lastSignInAt: string | null
  identityProvider: string | null
  inviterName: string | null
  /** Set while the invitation is open. */
  invitationExpiresAt: string | null
  sessions: number
  tokens: number
}

/** What rules make of claims. */
export interface RoleDecision {
  role: Role | null
  because: 'no_rule' | 'admin_value' | 'member_value' | 'everyone' | 'no_match'
  found: string[]
  /** Set where the provider did not send the claim: whoever is here already keeps their role. */
  notTold?: 'missing' | 'overage'
}

export interface OidcTrial {
  issuer: string
  subject: string
  claims: Record<string, unknown>
  decision: RoleDecision
}

export interface OidcSetup {
  issuerUrl: string | null
  clientId: string | null
  clientSecret: SecretState
  name: string | null
  scopes: string
  signUp: 'anyone' | 'invited'
  roleClaim: string | null
  adminValues: string[]
  memberValues: string[]
  only: boolean
  tested: boolean
  inForce: boolean
  /** What the provider must be told. */
  callbackUrl: string
  lastTest: { ok: true; trial: OidcTrial } | { ok: false; failure: ApiError } | null
}

/** Another service that people can sign in with, as an admin sets it up. */
export interface SignInService {
  name: string
  label: string
  /** Where an admin registers Mosaic there. */
  registerAt: string
  addressField: { label: string; help: string; placeholder: string; required: boolean } | null
  /** What Mosaic cannot check of a sign-in there. */
  unchecked: ('state' | 'pkce' | 'signature' | 'nonce' | 'signedInAt')[]
  clientId: string | null
  clientSecret: SecretState
  address: string | null
  signUp: 'anyone' | 'invited'
  isProof: boolean
  isActive: boolean
  callbackUrl: string
  lastTest: OidcSetup['lastTest']
}

export interface OidcInspection {
  issuer: string
  authorizationEndpoint: string
  keys: number
  signsOut: boolean
  /** Where a test sign-in begins. */
  url: string
}

/** How many agents are in which state. */
export interface FleetNow {
  agents: Partial<Record<AgentStatus, number>>
  waking: number
  queued: number
}

export interface FleetSample extends FleetNow {
  at: string
}

export interface Fleet extends FleetNow {
  /** One a minute, of the last day at most, the oldest first. */
  samples: FleetSample[]
}

/** What changed of one agent, as the fleet's stream tells it. */
export type AgentChange = Pick<
  AdminAgent,
  'id' | 'status' | 'reason' | 'desired' | 'runtime' | 'lastActiveAt' | 'startedAt'
> & { kind: 'user' | 'system' }

export interface UsageSums {
  chats: number
  wakes: number
  awakeSeconds: number
  tokensIn: number
  tokensOut: number
}

/** A day of too few people is withheld: its numbers would tell of single ones. */
export type UsageDay =
  | ({ day: string; withheld: false; activeUsers: number } & UsageSums)
  | { day: string; withheld: true }

export interface Usage {
  from: string
  to: string
  days: UsageDay[]
  totals: UsageSums
  withheldDays: number
  wakes: { day: string; outcome: string; count: number; totalMs: number }[]
}

/** What runs here, and what the doctor finds. */
export interface About {
  versions: { mosaic: string; node: string; openclaw: string; database: string }
  startedAt: string
  findings: {
    area: 'database' | 'vault' | 'runtime' | 'storage' | 'network'
    severity: 'error' | 'warning'
    message: string
    hint: string
  }[]
}

export interface DocsEntry {
  name: string
  title: string
}

/** A chapter of the documentation. `text` is Markdown without its title. */
export interface DocsChapter extends DocsEntry {
  text: string
}

/**
 * The JSON of `/api/v1` as the pages read it, derived from the response schemas of the routes. Times are ISO
 * 8601; ids are opaque.
 */
import type { Static } from 'typebox'
import type { sealedListMeta } from '#openapi/answer'
import type * as agents from '#openapi/shapes/agents'
import type * as chat from '#openapi/shapes/chat'
import type * as installation from '#openapi/shapes/installation'
import type * as services from '#openapi/shapes/llm_services'
import type * as knowledge from '#openapi/shapes/knowledge'
import type * as mail from '#openapi/shapes/mail'
import type * as people from '#openapi/shapes/people'
import type * as signIn from '#openapi/shapes/sign_in'
import type { errorEntry } from '#openapi/shapes/errors'

export type { WakeProgress, WakeStage } from '#agents/types'
export type { AgentLimits, AgentState, AgentStatus, Role } from '#models/types'

export type ApiError = Static<typeof errorEntry>
export type ListMeta = Static<typeof sealedListMeta>

export interface Listed<Item> {
  data: Item[]
  meta: ListMeta
}

export type AgentView = Static<typeof agents.agent>
export type AdminAgent = Static<typeof agents.adminAgent>
export type SystemAgent = Static<typeof agents.systemAgent>
export type Fleet = Static<typeof agents.fleet>
export type FleetNode = Static<typeof agents.node>
export type FleetNow = Omit<Fleet, 'samples' | 'rest'>
export type FleetSample = Fleet['samples'][number]
export type ConversationSummary = Static<typeof chat.conversation>
export type Conversation = Static<typeof chat.readConversation>
export type PastMessage = Conversation['messages'][number]
export type Upload = Static<typeof chat.upload>

/** Change to one agent, as sent on the fleet's stream. */
export type AgentChange = Pick<
  AdminAgent,
  'id' | 'status' | 'reason' | 'desired' | 'runtime' | 'lastActiveAt' | 'startedAt'
> & { kind: 'user' | 'system' }

export type Provider = Static<typeof services.provider>
export type ProviderType = Static<typeof services.providerType>
export type LlmModel = Provider['models'][number]
export type ConnectionTest = Static<typeof services.connectionTest>
export type AgentConfig = Static<typeof services.agentConfig>

export type Finding = Static<typeof knowledge.finding>
export type AgentMemory = Static<typeof knowledge.memory>
export type Task = Static<typeof knowledge.task>
export type FoundFinding = Static<typeof knowledge.foundFindings>[number]
export type KeptConversation = Static<typeof knowledge.keptConversation>
export type FoundMessage = Static<typeof knowledge.foundMessages>[number]
export type ArchiveRule = Static<typeof knowledge.archiveRule>
export type Unreadable = Static<typeof knowledge.unreadable>
export type ArchivedMessage = Static<typeof knowledge.foundMessages>[number]

/** Body of the provider form. */
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

export type Me = Static<typeof people.me>
export type BrowserSession = Static<typeof people.session>
export type AccessToken = Static<typeof people.accessToken>
export type NewAccessToken = Static<typeof people.newAccessToken>
export type AdminUser = Static<typeof people.adminUser>
export type AdminUserDetails = Static<typeof people.adminUserDetails>
export type SentInvitation = Static<typeof people.invitedUser>['invitation']
export type MailDelivery = Static<typeof mail.delivery>

export type SignInMethods = Static<typeof signIn.signInMethods>
export type SignInService = Static<typeof signIn.signInService>
export type InvitationView = Static<typeof signIn.invitation>
export type OnboardingState = Static<typeof signIn.onboarding>
export type OnboardingStep = OnboardingState['step']
export type RoleDecision = Static<typeof signIn.roleDecision>
export type OidcSetup = Static<typeof signIn.oidcSetup>
export type OidcTrial = Extract<NonNullable<OidcSetup['lastTest']>, { ok: true }>['trial']
export type OidcInspection = Static<typeof signIn.oidcInspection>

export type Runtime = Static<typeof installation.runtime>
export type RuntimeFinding = Runtime['findings'][number]
export type AdminSetting = Static<typeof installation.setting>
export type SettingValue = AdminSetting['value']
export type Checklist = Static<typeof installation.checklist>
export type ChecklistItem = Checklist['items'][number]['name']
export type AuditEntry = Static<typeof installation.auditEvent>
export type Usage = Static<typeof installation.usage>
export type UsageDay = Usage['days'][number]
export type UsageSums = Usage['totals']
export type About = Static<typeof installation.about>
export type DocsEntry = Static<typeof installation.docsEntry>
export type DocsChapter = Static<typeof installation.docsChapter>

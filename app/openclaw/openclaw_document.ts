import type { OpenClawEntry } from '#llm/contract'

/** A value that OpenClaw reads from the secrets file at start, by JSON pointer. */
export interface SecretReference {
  source: 'file'
  provider: string
  id: string
}

/** OpenClaw's search over the agent's own notes, by vectors of an embedding model. */
export interface MemorySearch {
  enabled: true
  /** OpenAI's API: `POST <baseUrl>/embeddings`. */
  provider: 'openai-compatible'
  model: string
  remote: { baseUrl: string; apiKey: SecretReference }
}

/** The document sections determined by a profile. */
export interface ProfileSections {
  plugins: {
    /** If omitted, every bundled plugin may load. */
    allow?: string[]
    entries: Record<string, { enabled: boolean }>
    slots?: { memory: 'none' }
  }
  tools: {
    profile: 'minimal' | 'full'
    /** If enabled, it would hide a client's tools behind a search. */
    toolSearch: false
    /** Additional tools beyond the profile's, as patterns. */
    alsoAllow?: string[]
    loopDetection?: { enabled: boolean }
  }
  cron?: { enabled: boolean }
  browser?: { enabled: boolean }
  memory?: { search: { enabled: false } | MemorySearch }
}

/**
 * The part of `openclaw.json` written by Mosaic. OpenClaw refuses to start on an unknown key; every key here
 * is accepted by the version pinned in `docker/agent/package.json`.
 */
export interface OpenClawDocument extends ProfileSections {
  gateway: {
    mode: 'local'
    auth: { mode: 'token'; token: SecretReference }
    http: {
      endpoints: {
        chatCompletions: { enabled: boolean }
        responses: {
          enabled: boolean
          images: { allowUrl: boolean }
          files: {
            allowUrl: boolean
            maxBytes: number
            maxChars: number
            pdf: { maxPages: number }
          }
        }
      }
    }
    controlUi: { enabled: boolean }
    nodes: { pairing: { autoApproveLocal: boolean; sshVerify: boolean } }
    terminal: { enabled: boolean }
  }
  agents: {
    defaults: {
      workspace: string
      skipBootstrap: boolean
      /** Values are `<provider entry id>/<model id>`. */
      model: { primary: string; fallbacks: string[] }
      heartbeat: { every: string }
    }
  }
  models: {
    mode: 'merge'
    catalogRefresh: { enabled: boolean }
    providers: Record<string, OpenClawEntry['config'] & { apiKey: SecretReference }>
  }
  mcp?: {
    sessionIdleTtlMs: number
    servers: Record<
      string,
      {
        url: string
        transport: 'streamable-http'
        headers: Record<string, string>
        requestTimeoutMs: number
      }
    >
  }
  secrets: { providers: Record<string, { source: 'file'; path: string; mode: 'json' }> }
  logging: { file: string; maxFileBytes: number; consoleLevel: 'warn' }
  update: { checkOnStart: boolean }
  discovery: { mdns: { mode: 'off' } }
}

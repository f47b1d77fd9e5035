import type { OpenClawEntry } from '#llm/contract'

/** A value that OpenClaw reads from the secrets file when it starts, by JSON pointer. */
export interface SecretReference {
  source: 'file'
  provider: string
  id: string
}

/** The part of the document that a profile decides. */
export interface ProfileSections {
  plugins: {
    /** Where it is missing, every bundled plugin may load. */
    allow?: string[]
    entries: Record<string, { enabled: boolean }>
    slots?: { memory: 'none' }
  }
  tools: {
    profile: 'minimal' | 'full'
    /** On, it would hide the tools of a client behind a search for them. */
    toolSearch: false
    /** Tools beyond the profile's, as patterns. */
    alsoAllow?: string[]
    loopDetection?: { enabled: boolean }
  }
  cron?: { enabled: boolean }
  browser?: { enabled: boolean }
  memory?: { search: { enabled: boolean } }
}

/**
 * The part of `openclaw.json` that Mosaic writes. OpenClaw refuses to start on a key that it does not
 * know, so every key here was accepted by the version that `docker/agent/package.json` pins.
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
          files: { allowUrl: boolean }
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
      /** Each as `<provider entry id>/<model id>`. */
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
      { url: string; transport: 'streamable-http'; headers: Record<string, string> }
    >
  }
  secrets: { providers: Record<string, { source: 'file'; path: string; mode: 'json' }> }
  logging: { file: string; maxFileBytes: number; consoleLevel: 'warn' }
  update: { checkOnStart: boolean }
  discovery: { mdns: { mode: 'off' } }
}

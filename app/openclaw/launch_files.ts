/** A file that the launcher writes before the gateway starts; its path is relative to the state folder. */
export interface LaunchFile {
  path: string
  content: string
}

/** What OpenClaw puts into its system prompt. */
export const PERSONALITY_FILE = 'workspace/SOUL.md'

/**
 * With retries on, OpenClaw asks a provider that fails for over a minute before it takes the next
 * model. It reads this from a file; its document has no key for it.
 */
const NO_RETRIES = JSON.stringify({ retry: { provider: { maxRetries: 0 } } })

/**
 * The files of an agent beside its document. The personality is always among them, empty where there
 * is none, so that one which its owner took away does not live on in the state folder.
 */
export function launchFiles(personality: string | null): LaunchFile[] {
  return [
    { path: PERSONALITY_FILE, content: personality?.trim() ? `${personality.trim()}\n` : '' },
    { path: 'agents/main/agent/settings.json', content: `${NO_RETRIES}\n` },
  ]
}

/** Where the launcher finds the module that it starts the gateway with. */
const PRELOAD_FILE = 'mosaic/preload.mjs'

/** Empty it is left out. It counts from the next start on: the gateway that runs goes on without it. */
export const preloadFile = (content: string): LaunchFile => ({ path: PRELOAD_FILE, content })

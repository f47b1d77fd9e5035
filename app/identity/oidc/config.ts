import { createHash } from 'node:crypto'
import type { Settings } from '#settings/settings'

/** The installation's identity provider, from the current settings. */
export interface OidcConfig {
  issuerUrl: string
  clientId: string
  clientSecret: string | null
  scopes: string
  /** Changes with every setting that decides whether a sign-in can succeed: see `oidc.only`. */
  fingerprint: string
}

type Chosen = Omit<OidcConfig, 'fingerprint'>

/** Returns null while single sign-on is not set up. Read for each request, so a change needs no restart. */
export async function oidcConfig(all: Settings): Promise<OidcConfig | null> {
  const settings = await all.snapshot()
  const issuerUrl = await settings.get('oidc.issuerUrl')
  const clientId = await settings.get('oidc.clientId')
  if (!issuerUrl || !clientId) return null
  const clientSecret = await settings.get('oidc.clientSecret')
  const chosen = { issuerUrl, clientId, clientSecret, scopes: await settings.get('oidc.scopes') }
  return { ...chosen, fingerprint: fingerprintOf(chosen) }
}

export function fingerprintOf({ issuerUrl, clientId, clientSecret, scopes }: Chosen): string {
  const text = JSON.stringify([issuerUrl, clientId, clientSecret, scopes])
  return createHash('sha256').update(text).digest('base64url')
}

/** The version that AdonisJS and OpenClaw need: see `engines` in package.json. */
const NEEDED = { major: 24, minor: 16 }

/** Returns the message for someone with a Node that is too old, or null. Must not import anything. */
export function tooOld(version: string): string | null {
  const [major, minor] = version.split('.').map(Number)
  const { major: most, minor: least } = NEEDED
  if (major > most || (major === most && minor >= least)) return null
  return (
    `E_NODE_TOO_OLD: Mosaic needs Node ${most}.${least} or newer, this is ${version}.\n` +
    'Install one, or run "npm ci", which brings one along as node_modules/.bin/node on Linux.\n'
  )
}

/** Exits with that message, before importing anything that such a Node cannot parse. */
export function refuseIfTooOld(): void {
  const refusal = tooOld(process.versions.node)
  if (!refusal) return
  process.stderr.write(refusal)
  process.exit(1)
}

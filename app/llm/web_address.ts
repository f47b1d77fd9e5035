/** Parts of a web address as people type it. */
const ADDRESS = /^(?<scheme>[a-z][a-z0-9+.-]*):\/\/(?<authority>[^/?#\\]*)/i

/** A host name or address (IPv6 in brackets), with a port. */
const HOST_AND_PORT = /^(?:\[[^\]]*\]|[^:[\]]*):(.*)$/

const HIGHEST_PORT = 65_535

/**
 * Returns what is wrong with an http or https address that a person typed, in a sentence; null if nothing is.
 */
export function faultOfAddress(typed: string): string | null {
  const { scheme, authority } = ADDRESS.exec(typed)?.groups ?? {}
  if (!scheme || !/^https?$/i.test(scheme)) return 'An address must begin with http:// or https://.'

  const host = authority.slice(authority.lastIndexOf('@') + 1)
  if (host === '' || host.startsWith(':')) return 'The address names no server after its "//".'
  if (/\s/.test(typed)) return 'An address has no spaces.'
  const port = HOST_AND_PORT.exec(host)?.[1] ?? ''
  if (port !== '' && !(/^\d{1,9}$/.test(port) && Number(port) <= HIGHEST_PORT)) {
    return `The port of the address, ${port.slice(0, 20)}, must be a number from 1 to ${HIGHEST_PORT}.`
  }
  if (port !== '' && Number(port) === 0)
    return 'Nothing listens on port 0: leave the port out or name another.'
  return URL.canParse(typed) ? null : 'The name of the server is not one: check how it is spelled.'
}

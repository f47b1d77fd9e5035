/**
 * Suffixes that OpenClaw 2026.9.6 accepts after an "@" as part of a model name: a date, then a quantization.
 * It takes anything else for the name of a stored login and cuts it off.
 */
const DATE = /^\d{8}$/
const QUANTIZATION = /^(?:i?q\d+(?:_[a-z0-9]+)*|\d+bit)$/i

/** Characters allowed in an HTTP header: printable Latin-1. */
const IN_A_HEADER = /^[\x21-\x7e\xa1-\xff]+$/

/**
 * Returns why an agent cannot request this model from its service, as a sentence for the owner. Null if the
 * name arrives unchanged.
 */
export function unusableModelName(id: string): string | null {
  if (/[\s\p{C}]/u.test(id)) return 'A model name holds no white space and no invisible characters.'
  if (id.includes('${')) return 'OpenClaw replaces "${…}" in a name, so it would ask for another.'
  const [name, ...behind] = id.slice(id.lastIndexOf('/') + 1).split('@')
  if (DATE.test(behind[0] ?? '')) behind.shift()
  if (QUANTIZATION.test(behind[0] ?? '')) behind.shift()
  const rest = behind.join('@')
  if (rest === '') return null
  return `OpenClaw takes "@${rest}" for the name of a login and asks for "${name}" without it. Give the model a name without "@" at the service.`
}

/** Returns whether a single request can name the model: OpenClaw reads it from a header. */
export function fitsInHeader(id: string): boolean {
  return IN_A_HEADER.test(id)
}

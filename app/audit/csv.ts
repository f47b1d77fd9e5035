import type AuditEvent from '#models/audit_event'

const COLUMNS = [
  'time',
  'actor',
  'actor id',
  'action',
  'subject type',
  'subject id',
  'details',
  'address',
  'sequence',
  'hash',
  'verified',
]

/** Spreadsheets run cells that begin like this as formulas, and anyone can choose such a name. */
const FORMULA = /^[=+\-@\t\r]/

/** Yields the events as CSV (RFC 4180), line by line, with a header. */
export async function* auditCsv(events: AsyncIterable<AuditEvent>): AsyncGenerator<string> {
  yield line(COLUMNS)
  for await (const event of events) {
    yield line([
      event.createdAt.toUTC().toISO(),
      event.actorName,
      event.actorId,
      event.action,
      event.subjectType,
      event.subjectId,
      event.details && JSON.stringify(event.details),
      event.address,
      event.sequence,
      event.hash,
      event.$extras.isVerified ? 'yes' : 'no',
    ])
  }
}

const line = (cells: unknown[]) => `${cells.map(cell).join(',')}\r\n`

function cell(value: unknown): string {
  const text = String(value ?? '')
  const harmless = FORMULA.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

import { AGENT_STATES, AGENT_STATUSES, REST_MODES } from '#models/types'
import {
  count,
  flag,
  list,
  nullable,
  number,
  oneOf,
  optional,
  record,
  shape,
  text,
  time,
} from '#openapi/answer'

const state = {
  status: oneOf(AGENT_STATUSES),
  desired: oneOf(['running', 'stopped']),
  runtime: nullable(text()),
  lastActiveAt: nullable(time()),
  startedAt: nullable(time()),
}

/** The caller's own agent. */
export const agent = shape({
  ...state,
  status: oneOf(AGENT_STATES),
  awake: flag(),
  reason: optional(text()),
  message: optional(text()),
  hint: optional(text()),
  idleStopAt: optional(time()),
  queuePosition: optional(count()),
  expectedWaitMs: optional(count()),
  retryAt: optional(time()),
})

/** An agent's last lines, oldest first. */
export const crashLog = shape({ lines: list(text()) })

export const logLines = list(text())

const limits = shape({
  memoryMb: optional(count()),
  cpus: optional(number()),
  processes: optional(count()),
})

/** A user's agent, for admins. */
export const adminAgent = shape({
  id: text(),
  userId: text(),
  name: nullable(text()),
  email: nullable(text()),
  idleTimeoutMin: count(),
  limits: nullable(limits),
  ...state,
  reason: nullable(text()),
})

export const systemAgent = shape({
  id: text(),
  name: text(),
  role: text(),
  primaryModel: nullable(text()),
  providerId: nullable(text()),
  limits: nullable(limits),
  placement: nullable(record(text())),
  isActive: flag(),
  createdAt: time(),
  updatedAt: time(),
  ...state,
  reason: nullable(text()),
})

const gauges = { agents: record(count()), waking: count(), queued: count() }

/** Resting agents, in bytes: the memory they hold, their limit, and the machine's memory. */
const rest = shape({
  mode: oneOf(REST_MODES),
  resting: count(),
  residentBytes: number(),
  swappedBytes: number(),
  budgetBytes: nullable(number()),
  room: nullable(count()),
  suspends: flag(),
  pagesOut: flag(),
  machine: nullable(
    shape({ total: number(), available: number(), swapTotal: number(), swapFree: number() })
  ),
})

/** One machine of the runtime in use. Memory in bytes: `promised` is kept free for its agents. */
export const node = shape({
  id: text(),
  name: text(),
  state: oneOf(['ready', 'drained', 'unavailable', 'lost']),
  processors: number(),
  memory: shape({ total: number(), promised: number(), used: nullable(number()) }),
  agents: count(),
})

/** Agents per state, now and once a minute over the last day. */
export const fleet = shape({
  ...gauges,
  samples: list(shape({ at: time(), ...gauges })),
  rest: nullable(rest),
})

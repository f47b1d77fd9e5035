import { availableParallelism } from 'node:os'
import vine from '@vinejs/vine'
import { REST_MODES, WAKE_POLICIES, type RestMode, type WakePolicy } from '#models/types'
import { whole } from '#settings/definitions/rules'
import { setting, type Definition } from '#settings/setting_kinds'

/** A start keeps about two processors busy; with fewer than four, two starts share them. */
const STARTS = Math.min(64, Math.max(2, Math.floor(availableParallelism() / 2)))

/** The settings of agents: when they start, rest and stop. Part of `DEFINITIONS`. */
export const AGENT_DEFINITIONS = {
  /** Idle minutes until an agent sleeps, unless its owner chose otherwise. */
  'agents.idleTimeoutMin': setting<number>({ default: 30, schema: whole(1, 10_080) }),
  /** Policy for idle agents, unless the owner chose otherwise. */
  'agents.wakePolicy': setting<WakePolicy>({
    default: 'scale_to_zero',
    schema: vine.enum(WAKE_POLICIES),
  }),
  /** Minutes for which a warm agent stays suspended before it is stopped. */
  'agents.suspendedMin': setting<number>({ default: 60, schema: whole(1, 10_080) }),
  /** Whether idle agents rest, suspended and with their memory, instead of being stopped. */
  'agents.rest': setting<RestMode>({ default: 'auto', schema: vine.enum(REST_MODES) }),
  /** Idle minutes until an agent rests; its idle timeout applies if that is shorter. */
  'agents.restAfterMin': setting<number>({ default: 5, schema: whole(1, 10_080) }),
  /** Minutes of rest until an agent's memory moves to swap, if the machine has any. */
  'agents.pageOutAfterMin': setting<number>({ default: 5, schema: whole(1, 10_080) }),
  /** Hours of rest, beyond its idle timeout, until an agent is stopped. */
  'agents.restHours': setting<number>({ default: 72, schema: whole(1, 8760) }),
  /** Percent of the machine's memory that all resting agents may hold. */
  'agents.restMemoryPercent': setting<number>({ default: 50, schema: whole(1, 90) }),
  /** The same limit in megabytes; overrides the percentage. */
  'agents.restMemoryMb': setting<number | null>({
    default: null,
    schema: whole(1, 16_777_216).nullable(),
  }),
  /** Maximum number of resting agents; null = as many as the memory allows. */
  'agents.restCount': setting<number | null>({
    default: null,
    schema: whole(0, 1_000_000).nullable(),
  }),
  /** Hours since its user's last act for which an agent's own work keeps it awake. */
  'agents.maximumAgeHours': setting<number>({ default: 24, schema: whole(1, 8760) }),
  /** Seconds by which a sleeping agent is woken ahead of a scheduled job. */
  'agents.wakeAheadSec': setting<number>({ default: 120, schema: whole(10, 3600) }),
  /** Whether an idle agent's gateway keeps its worker threads: `app/openclaw/kept_timers.ts`. */
  'agents.keepWorkers': setting<boolean>({ default: true, schema: vine.boolean({ strict: true }) }),
  /** Agents that may start at the same time. */
  'agents.startConcurrency': setting<number>({ default: STARTS, schema: whole(1, 64) }),
  /** Seconds from an instance's start until its gateway must be ready. */
  'agents.bootTimeoutSec': setting<number>({ default: 180, schema: whole(5, 3600) }),
  /** Seconds for an agent's work to finish before a stop becomes a kill. */
  'agents.stopGraceSec': setting<number>({ default: 20, schema: whole(0, 600) }),
} satisfies Record<string, Definition<any>>

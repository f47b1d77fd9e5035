import vine from '@vinejs/vine'

/** Limits of one agent. Omitted values come from the runtime's settings; null resets all of them. */
export const agentLimits = () =>
  vine
    .object({
      memoryMb: vine.number().withoutDecimals().min(256).max(1_048_576).optional(),
      cpus: vine.number().min(0.1).max(1024).optional(),
      processes: vine.number().withoutDecimals().min(32).max(65_536).optional(),
    })
    .nullable()

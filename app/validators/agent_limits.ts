import vine from '@vinejs/vine'

/** Ceilings of one agent. What is left out comes from the runtime's settings, as all of it does with null. */
export const agentLimits = () =>
  vine
    .object({
      memoryMb: vine.number().withoutDecimals().min(256).max(1_048_576).optional(),
      cpus: vine.number().min(0.1).max(1024).optional(),
      processes: vine.number().withoutDecimals().min(32).max(65_536).optional(),
    })
    .nullable()

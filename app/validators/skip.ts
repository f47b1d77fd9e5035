import vine from '@vinejs/vine'
import type { FieldContext } from '@vinejs/vine/types'

/** Whether a step of the set-up is skipped. Default: false. */
export const skip = () => vine.boolean({ strict: true }).optional()

/** Condition of a field of such a step: required unless the step is skipped. */
export const unskipped = ({ data }: FieldContext) => data.skip !== true

import type { FieldContext } from '@vinejs/vine/types'

/**
 * Condition of an optional field of a PATCH that cannot be emptied: omitted, it stays; null is refused. The body
 * parser turns "" into null.
 */
export const emptied = ({ value }: FieldContext) => value === null

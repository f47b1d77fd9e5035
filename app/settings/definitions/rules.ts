import vine from '@vinejs/vine'

/** Rules that definitions share. */
export const text = () => vine.string().trim().maxLength(2048).nullable()
export const whole = (min: number, max: number) => vine.number().withoutDecimals().min(min).max(max)

const BASE64 =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** A picture of one pixel, as a file and as a URL. */
export const PNG = Buffer.from(BASE64, 'base64')
export const PIXEL = `data:image/png;base64,${BASE64}`

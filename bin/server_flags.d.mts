/** Arguments of `node` for the server. */
export const SERVER_FLAGS: string[]

import type User from '#models/user'

/** A user who makes a change, and their address. */
export interface Actor {
  user: User
  /** The network address, or null for a command. */
  address: string | null
}

import type User from '#models/user'

/** Who changes something of their own, and from where. */
export interface Actor {
  user: User
  /** The network address, or null for a command. */
  address: string | null
}

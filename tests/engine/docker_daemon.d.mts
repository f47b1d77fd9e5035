export const BRIDGE_ADDRESS: string

export const BUILD_PROXY: string
export function openWayOut(path: string): Promise<() => void>
export function joinWayOut(path: string): Promise<() => void>

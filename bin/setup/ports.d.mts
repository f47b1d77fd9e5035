export function checkFree(listener: { host: string; port: number; variable: string }): Promise<void>

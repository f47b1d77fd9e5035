export function chromium(): Promise<string>
export function postgresPrograms(): Promise<string>

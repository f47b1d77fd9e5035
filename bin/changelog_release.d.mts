export function released(text: string, version: string, date: string): string

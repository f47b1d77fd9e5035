export function fleetSleep(
  run: () => Promise<string>
): Promise<{ words: string; areAllAsleep: boolean }>

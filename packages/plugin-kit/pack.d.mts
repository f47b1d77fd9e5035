export function packKit(folder: string): Promise<string>

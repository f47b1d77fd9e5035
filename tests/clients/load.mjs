/** Copied beside the installed clients, from where their names resolve to them. */
export const load = (name) => import(name)

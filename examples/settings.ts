/** What the example server takes from the environment, because the package itself never reads it. */
export interface Settings { port: number, host: string, secret?: string, redis?: string }

/** A variable that makes no sense; its message is a sentence that names it. */
export class Mistake extends Error {}

/** @throws Mistake */
export function settings ({ PORT = '3000', HOST = '127.0.0.1', JWT_SECRET, REDIS_URL }: NodeJS.ProcessEnv): Settings {
  if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65_535) throw new Mistake(`PORT must be a number from 0 to 65535, not ${JSON.stringify(PORT)}.`)
  if (HOST.trim() === '') throw new Mistake('HOST is set but empty: name an address, or leave it unset for 127.0.0.1.')
  if (JWT_SECRET === '') throw new Mistake('JWT_SECRET is set but empty: give a secret, or leave it unset to have one made up.')
  if (REDIS_URL !== undefined && !(/^rediss?:\/\//.test(REDIS_URL) && URL.canParse(REDIS_URL))) {
    throw new Mistake('REDIS_URL must be a redis:// or rediss:// URL; leave it unset to keep everything in this process.')
  }
  return { port: Number(PORT), host: HOST, ...(JWT_SECRET !== undefined && { secret: JWT_SECRET }), ...(REDIS_URL !== undefined && { redis: REDIS_URL }) }
}

import { readFile } from 'node:fs/promises'
import { connect, readyWithin } from '../lib/core/redis.ts'
import { optionsFromEnv, parseOptions } from '../lib/options.ts'
import { Mistake, mistaken, read } from './mistake.ts'

interface Finding { ok: boolean, message: string }

/** Validates options and Redis, and says in sentences what is wrong; exit code 1 when something is. */
export async function check (args: string[]): Promise<number> {
  const { options: file, json } = read(args, ['options'])
  const given = mistaken(() => optionsFromEnv(process.env)) as Record<string, unknown>
  const own = file === undefined ? {} : await readOptions(file)
  const options = mistaken(() => parseOptions({ ...given, ...own }))
  const findings: Finding[] = [{ ok: true, message: 'The options are valid.' }]
  const secret = (options.jwt as { secret?: unknown } | undefined)?.secret
  if (secret === undefined) findings.push({ ok: false, message: 'There is no secret: set JWT_SECRET, or register @fastify/jwt before the package.' })
  else if (typeof secret === 'string' && secret.length < 32) findings.push({ ok: false, message: `The secret has ${secret.length} characters; 32 or more cannot be guessed.` })
  if (typeof options.redis === 'string') findings.push(...await redisFindings(options.redis))
  else findings.push({ ok: true, message: 'There is no Redis: everything lives in one process, and ends with it.' })
  const ok = findings.every(one => one.ok)
  process.stdout.write(json ? `${JSON.stringify({ ok, findings })}\n` : findings.map(one => `${one.ok ? 'ok ' : 'BAD'} ${one.message}\n`).join(''))
  return ok ? 0 : 1
}

async function readOptions (file: string): Promise<object> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as object
  } catch (error) {
    throw new Mistake(`--options ${file} cannot be read as JSON: ${(error as Error).message}`)
  }
}

async function redisFindings (url: string): Promise<Finding[]> {
  const { host } = new URL(url)
  const redis = connect(url)
  let reason = ''
  redis.on('error', (error: Error) => { reason = error.message })
  try {
    if (!await readyWithin(redis, 3_000)) return [{ ok: false, message: `Redis at ${host} does not answer${reason && ` (${reason})`}; the server would start degraded.` }]
    const info = await redis.info()
    const [, version = '0'] = /redis_version:(\S+)/.exec(info) ?? []
    const [, policy = ''] = /maxmemory_policy:(\S+)/.exec(info) ?? []
    const [major = 0, minor = 0] = version.split('.').map(Number)
    return [
      major > 6 || (major === 6 && minor >= 2) ? { ok: true, message: `Redis ${version} at ${host} answers.` } : { ok: false, message: `Redis at ${host} is ${version}; 6.2 or newer is needed.` },
      ...(policy.startsWith('allkeys') ? [{ ok: false, message: `Redis evicts any key when memory is full (maxmemory-policy ${policy}): sessions would vanish. Use noeviction or a volatile policy.` }] : [])
    ]
  } finally {
    redis.disconnect()
  }
}

#!/usr/bin/env node
import { Mistake } from './mistake.ts'

/** `npx fastify-classwaves dev | token | check`. A sentence and exit code 2 for what makes no sense. */

/** Loaded when asked for: a token needs no server. */
const commands: Record<string, (args: string[]) => Promise<number | undefined>> = {
  dev: async args => await (await import('./dev.ts')).dev(args),
  token: async args => await (await import('./token.ts')).token(args),
  check: async args => await (await import('./check.ts')).check(args)
}

const help = `fastify-classwaves dev    opens a class in which simulated groups talk     [--port 3000] [--host 127.0.0.1] [--json]
fastify-classwaves token  signs a token with JWT_SECRET                   --role teacher --sub ID [--name NAME] [--session ID] [--group ID] [--expires 3600] [--json]
fastify-classwaves check  says what is wrong with options and Redis       [--options FILE.json] [--json]

Options are read from the environment (JWT_SECRET, REDIS_URL, ...); docs/reference.md lists the variables.
`

const [command = 'help', ...args] = process.argv.slice(2)
try {
  if (['help', '--help', '-h'].includes(command)) process.stdout.write(help)
  else {
    const run = Object.hasOwn(commands, command) ? commands[command] : undefined
    if (!run) throw new Mistake(`There is no command ${JSON.stringify(command)}; there are dev, token and check.`)
    process.exitCode = await run(args) ?? 0
  }
} catch (error) {
  // What the system refused, such as a port that is taken, needs no stack either.
  const plain = error instanceof Mistake || (error instanceof Error && 'syscall' in error)
  process.stderr.write(`${plain ? (error as Error).message : (error as Error).stack}\n`)
  process.exitCode = error instanceof Mistake ? 2 : 1
}

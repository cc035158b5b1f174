import { assert, describe, it } from "vitest"
import { spawn, type ChildProcess } from "node:child_process"
import { mkdir } from "node:fs/promises"
import { createServer, type AddressInfo } from "node:net"
import { join } from "node:path"
import { environment, request, root, temporary, waitFor } from "../support/Server.js"
import * as Markdown from "./support/Markdown.js"

const readme = Markdown.read("README.md")

/** A shell into which one pastes block after block; variables and functions stay. */
const makeShell = (home: string) => {
  const shell = spawn("bash", ["--noprofile", "--norc"], {
    cwd: root,
    env: { ...environment({}), HOME: home },
    stdio: ["pipe", "pipe", "pipe"]
  })
  let output = ""
  shell.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()))
  let serial = 0
  return {
    paste: async (code: string): Promise<string> => {
      const end = `end-of-block-${(serial += 1)}`
      const done = new Promise<string>((resolve, reject) => {
        const look = (chunk: Buffer): void => {
          output += chunk.toString()
          if (!output.includes(`${end}\n`)) return
          shell.stdout.off("data", look)
          resolve(output.slice(0, output.indexOf(end)))
          output = ""
        }
        shell.stdout.on("data", look)
        shell.once("exit", (status) => reject(new Error(`The shell ended with ${status}:\n${output}`)))
      })
      shell.stdin.write(`${code}\necho ${end}\n`)
      return done
    },
    close: () => shell.kill("SIGKILL")
  }
}

/** `npm start` in a terminal of its own. */
const startServer = async (code: string, env: Record<string, string>, home: string) => {
  const child: ChildProcess = spawn("bash", ["--noprofile", "--norc", "-c", code], {
    cwd: root,
    env: { ...environment(env), HOME: home },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true
  })
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve))
  // The group is ours: nobody else is in it.
  const signal = (name: NodeJS.Signals): void => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, name)
  }
  await waitFor(child, /documentation {2}http/, 60_000)
  return {
    ctrlC: (): Promise<number | null> => {
      signal("SIGINT")
      return ended
    },
    kill: () => signal("SIGKILL")
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })

/** Whether a line of output is what the page shows, where `…` stands for anything. */
const fits = (shown: string, line: string): boolean =>
  new RegExp(`^${shown.split("…").map(escaped).join("[^]*?")}${shown.endsWith("…") ? "" : "$"}`).test(line)

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

interface Named {
  readonly page: string
  readonly method: string | undefined
  readonly path: string
  readonly isLater: boolean
}

/** Every route that a page names: in backticks, in links to the server, and in commands. */
const routesIn = (page: Markdown.Page): ReadonlyArray<Named> => {
  const commands = page.blocks.filter(({ language }) => language === "bash").map(({ code }) => code)
  const inCommands = commands.flatMap((code) =>
    [...code.matchAll(/(?:\$URL|127\.0\.0\.1:3000)(\/[^\s"']*)/g)].map(([, path]) => ({ path: path!, isLater: false }))
  )
  const inText = page.text
    .split("\n")
    .flatMap((line) => [
      ...Markdown.codes(line).map((path) => ({ path, isLater: line.includes("_later_") })),
      ...[...line.matchAll(/127\.0\.0\.1:3000(\/[a-z./-]*)/g)].map(([, path]) => ({ path: path!, isLater: false }))
    ])
  return [...inText, ...inCommands].flatMap(({ isLater, path: text }) => {
    const [, method, path] = /^(?:(GET|POST) )?(\/[^\s?]*)/.exec(text) ?? []
    return path === undefined ? [] : [{ page: page.path, method, path: path.replace("$ID", "{id}"), isLater }]
  })
}

/** Routes that a document names and the server does not have, or has although the document says "later". */
const mistaken = async (url: string): Promise<ReadonlyArray<string>> => {
  const { body } = await request(url, "/openapi.json")
  const documented: ReadonlyArray<readonly [string, ReadonlyArray<string>]> = Object.entries(body.paths).map(
    ([path, methods]) => [path, Object.keys(methods as object).map((method) => method.toUpperCase())]
  )
  const isThere = async ({ method, path }: Named): Promise<boolean> => {
    const found = documented.find(([template]) =>
      new RegExp(
        `^${template
          .split(/\{\w+\}/)
          .map(escaped)
          .join("[^/]+")}$`
      ).test(path)
    )
    if (found !== undefined) return method === undefined || found[1].includes(method)
    return (await request(url, path, { method: method ?? "GET" })).status < 400
  }
  const named = ["README.md", "CHANGELOG.md", "docs/self-healing.md"].map(Markdown.read).flatMap(routesIn)
  assert.isAbove(named.length, 30, "the routes are no longer found in the documents")
  const faults: Array<string> = []
  for (const route of named) {
    if ((await isThere(route)) === route.isLater) faults.push(`${route.page}: ${route.method ?? ""} ${route.path}`)
  }
  return faults
}

describe("the tour", () => {
  it("runs as it is written, and every route that a document names is there", { timeout: 240_000 }, async () => {
    const folder = await temporary()
    const home = join(folder.path, "home")
    await mkdir(home)
    const port = await freePort()
    const env = { PORT: String(port), DATA_DIR: join(folder.path, "data") }
    const shell = makeShell(home)
    let server: Awaited<ReturnType<typeof startServer>> | undefined
    try {
      const tour = Markdown.blocksOf(Markdown.section(readme, "A tour of two minutes"))
      let output = ""
      for (const { code, language } of tour) {
        const block = code.replaceAll("127.0.0.1:3000", `127.0.0.1:${port}`)
        if (language === "text") {
          const lines = output.split("\n").filter((line) => line !== "")
          for (const [index, shown] of code.trimEnd().split("\n").entries()) {
            assert.isTrue(fits(shown, lines[index] ?? ""), `the page shows\n${shown}\nbut it is\n${lines[index]}`)
          }
        } else if (/npm start$/m.test(code)) {
          if (server !== undefined) assert.strictEqual(await server.ctrlC(), 0)
          server = await startServer(block, env, home)
        } else {
          output = await shell.paste(block)
        }
      }
      assert.isAtLeast(tour.length, 10)
      assert.deepStrictEqual(await mistaken(`http://127.0.0.1:${port}`), [])
      assert.strictEqual(await server?.ctrlC(), 0)
    } finally {
      server?.kill()
      shell.close()
      await folder.remove()
    }
  })
})

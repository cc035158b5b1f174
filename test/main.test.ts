import { afterEach, assert, describe, it } from "vitest"
import { spawn, type ChildProcess } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { connect, type AddressInfo, type Socket } from "node:net"
import { join } from "node:path"
import * as EmbeddedData from "./support/EmbeddedData.js"
import { environment, ready, request, root, startServer, temporary, waitFor } from "./support/Server.js"

const cleanups: Array<() => unknown> = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const folder = async (): Promise<string> => {
  const { path, remove } = await temporary()
  cleanups.push(remove)
  return path
}

/** A data folder whose database is there at once. */
const filled = async (): Promise<string> => {
  const data = join(await folder(), "data")
  await EmbeddedData.fill(data)
  return data
}

/** What a start that cannot succeed prints, and how it ends. */
const failingStart = async (env: Record<string, string>): Promise<{ code: number | null; text: string }> => {
  const child = spawn(process.execPath, ["dist/main.js"], {
    cwd: root,
    env: environment({ DATA_DIR: join(await folder(), "data"), ...env }),
    stdio: ["ignore", "pipe", "pipe"]
  })
  let text = ""
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()))
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()))
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve))
  return { code, text: text.trimEnd() }
}

const oneLine = (text: string): void => assert.strictEqual(text.split("\n").length, 1, `more than one line:\n${text}`)

describe("starting", { timeout: 120_000 }, () => {
  it("prints where the app, its documentation and its health are, and what is configured", async () => {
    const server = await startServer({ OPENAI_API_KEY: "sk-test", LOG_LEVEL: "info" })
    cleanups.push(() => server.stop())
    await ready(server.url)
    const text = server.output()
    for (const part of [server.url, `${server.url}/docs`, `${server.url}/api/health`]) assert.include(text, part)
    assert.match(text, /openai\s+configured/)
    assert.match(text, /elevenlabs\s+not configured/)
    assert.match(text, /stripe\s+not configured/)
    assert.match(text, /database\s+embedded/)
    assert.notInclude(text, "sk-test")
  })

  it("starts when nobody reads what it prints", async () => {
    const finder = createServer()
    await new Promise<void>((resolve) => finder.listen(0, "127.0.0.1", resolve))
    const { port } = finder.address() as AddressInfo
    await new Promise((resolve) => finder.close(resolve))
    const child = spawn(process.execPath, ["dist/main.js"], {
      cwd: root,
      env: environment({ DATA_DIR: await filled(), PORT: String(port) }),
      stdio: ["ignore", "pipe", "inherit"]
    })
    child.stdout.destroy()
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve))
    cleanups.push(() => child.kill("SIGKILL"))
    await ready(`http://127.0.0.1:${port}`)
    child.kill("SIGTERM")
    assert.strictEqual(await ended, 0)
  })

  it("says in one line that the port is in use", async () => {
    const blocker = createServer()
    await new Promise<void>((resolve) => blocker.listen(0, "127.0.0.1", resolve))
    cleanups.push(() => blocker.close())
    const { port } = blocker.address() as AddressInfo
    const { code, text } = await failingStart({ PORT: String(port) })
    assert.strictEqual(code, 1)
    oneLine(text)
    assert.match(text, new RegExp(`PORT.*${port}.*in use`))
  })

  it("says in one line that the data folder is in use, and by whom", async () => {
    const data = await filled()
    const server = await startServer({ DATA_DIR: data })
    cleanups.push(() => server.stop())
    await ready(server.url)
    const { code, text } = await failingStart({ DATA_DIR: data })
    assert.strictEqual(code, 1)
    oneLine(text)
    assert.include(text, "DATA_DIR")
    assert.include(text, String(server.pid))
  })

  it("says in one line that the data folder cannot be written", async () => {
    const path = join(await folder(), "file")
    await writeFile(path, "not a folder")
    const { code, text } = await failingStart({ DATA_DIR: join(path, "data") })
    assert.strictEqual(code, 1)
    oneLine(text)
    assert.include(text, "DATA_DIR")
  })

  it.each([
    [{ PORT: "eighty" }, /PORT.*eighty.*3000/],
    [{ OPENAI_RETRY_MAX_ATTEMPTS: "many" }, /OPENAI_RETRY_MAX_ATTEMPTS.*many/],
    [{ OPENAI_CIRCUIT_RESET_TIMEOUT: "soon" }, /OPENAI_CIRCUIT_RESET_TIMEOUT.*soon/],
    [{ OPENAI_RETRY_MAX_ATTEMPS: "3" }, /OPENAI_RETRY_MAX_ATTEMPS.*OPENAI_RETRY_MAX_ATTEMPTS/],
    [{ RATE_LIMIT_CALLS: "lots" }, /RATE_LIMIT_CALLS.*lots.*strict/],
    [{ RATE_LIMIT_COACHNG: "strict" }, /RATE_LIMIT_COACHNG.*RATE_LIMIT_COACHING/],
    [{ HOST: "0.0.0.0" }, /HOST.*AUTH_/],
    [{ DATABASE_URL: "mysql://x" }, /DATABASE_URL/],
    [{ OPENAI_BASE_URL: "not a url" }, /OPENAI_BASE_URL/],
    [{ SHUTDOWN_GRACE: "-1s" }, /SHUTDOWN_GRACE/]
  ])("refuses %j with one line that names the variable", async (env, expected) => {
    const { code, text } = await failingStart(env as Record<string, string>)
    assert.strictEqual(code, 1)
    oneLine(text)
    assert.match(text, expected)
  })

  it("never prints the value of a secret that it refuses", async () => {
    const { code, text } = await failingStart({ DATABASE_URL: "mysql://user:hunter2secret@host/db" })
    assert.strictEqual(code, 1)
    assert.notInclude(text, "hunter2secret")
  })

  it("says in one line that Node is too old", async () => {
    const older = 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.19.0" } })'
    const child = spawn(
      process.execPath,
      ["--import", `data:text/javascript,${encodeURIComponent(older)}`, ".tools/build.mjs"],
      {
        cwd: root,
        stdio: ["ignore", "pipe", "pipe"]
      }
    )
    let text = ""
    child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()))
    assert.strictEqual(await new Promise((resolve) => child.once("exit", resolve)), 1)
    oneLine(text.trimEnd())
    assert.match(text, /Node 18\.19\.0 is too old.*20\.18/)
  })

  it("leaves other people's variables alone", async () => {
    const server = await startServer({ OPENAI_ORG_ID: "org-1", STRIPE_CLI_VERSION: "x", DATABASE_CLIENT: "y" })
    cleanups.push(() => server.stop())
    assert.strictEqual((await request(server.url, "/livez")).status, 200)
  })
})

describe("stopping", { timeout: 120_000 }, () => {
  // A busy machine can make any one stop slow; the server is to blame only when all of them are.
  it.each(["SIGINT", "SIGTERM"] as const)("ends on %s within two seconds with exit code 0", async (signal) => {
    let fastest = Infinity
    for (let round = 0; round < 3 && fastest >= 2000; round++) {
      const server = await startServer()
      await ready(server.url)
      const { code, millis } = await server.stop(signal)
      assert.strictEqual(code, 0, server.output())
      fastest = Math.min(fastest, millis)
    }
    assert.isBelow(fastest, 2000)
  })

  it("counts a second signal within a second as the same wish to stop", async () => {
    const server = await startServer()
    await ready(server.url)
    process.kill(server.pid, "SIGINT")
    process.kill(server.pid, "SIGINT")
    assert.strictEqual((await server.ended).code, 0, server.output())
  })

  it("ends at once on a later signal, with the code of the signal", async () => {
    const server = await startServer({ SHUTDOWN_GRACE: "20s" })
    await ready(server.url)
    const socket = await halfSentRequest(server.url)
    cleanups.push(() => socket.destroy())
    process.kill(server.pid, "SIGTERM")
    await new Promise((resolve) => setTimeout(resolve, 1300))
    const { code } = await server.stop("SIGTERM")
    assert.strictEqual(code, 143)
  })
})

/** A request whose body never ends keeps the server busy. */
const halfSentRequest = (url: string): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname, () => {
      socket.write(
        "POST /api/score HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"
      )
      setTimeout(() => resolve(socket), 200)
    })
    socket.once("error", reject)
  })

describe("npm start", { timeout: 120_000 }, () => {
  interface Npm {
    readonly child: ChildProcess
    readonly url: string
    readonly ended: Promise<number | null>
  }

  /** In a process group of its own, as a terminal runs it. */
  const npmStart = async (data: string): Promise<Npm> => {
    const child = spawn("npm", ["start"], {
      cwd: root,
      env: environment({ DATA_DIR: data }),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true
    })
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve))
    cleanups.push(() => {
      // The group is ours: nobody else is in it.
      if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, "SIGKILL")
    })
    const [, url] = await waitFor(child, /(http:\/\/\S+:\d+)/)
    return { child, url: url!, ended }
  }

  const gone = async (url: string): Promise<void> => {
    const answer = await fetch(`${url}/livez`).catch(() => undefined)
    assert.isUndefined(answer, "the server is still there")
  }

  it("stops cleanly when a terminal's Ctrl-C reaches the whole group", async () => {
    const npm = await npmStart(await filled())
    await ready(npm.url)
    process.kill(-npm.child.pid!, "SIGINT")
    assert.strictEqual(await npm.ended, 0)
    await gone(npm.url)
  })

  it("stops cleanly when npm alone gets the signal", async () => {
    const npm = await npmStart(await filled())
    await ready(npm.url)
    process.kill(npm.child.pid!, "SIGTERM")
    assert.strictEqual(await npm.ended, 0)
    await gone(npm.url)
  })

  it("starts and stops ten times in the same folder", { timeout: 240_000 }, async () => {
    const data = await filled()
    for (let round = 0; round < 10; round++) {
      const npm = await npmStart(data)
      if (round % 3 === 0) await ready(npm.url)
      process.kill(-npm.child.pid!, "SIGINT")
      assert.strictEqual(await npm.ended, 0, `round ${round}`)
      await gone(npm.url)
    }
  })
})

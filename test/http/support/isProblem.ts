import { assert } from "@effect/vitest"
import type { Reply } from "./Wire.js"

/** Asserts that a reply has the form of every error. */
export const isProblem = (reply: Reply, status: number, code: string, instance: string): void => {
  assert.strictEqual(reply.status, status)
  assert.strictEqual(reply.headers["content-type"], "application/problem+json")
  assert.strictEqual(reply.json["status"], status)
  assert.strictEqual(reply.json["code"], code)
  assert.strictEqual(reply.json["type"], `/problems/${code}`)
  assert.strictEqual(reply.json["instance"], instance)
  assert.strictEqual(reply.json["requestId"], reply.headers["x-request-id"])
  for (const member of ["title", "detail"]) assert.isString(reply.json[member], member)
}

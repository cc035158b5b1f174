/**
 * Serves the practice page from memory: a handful of small files, read once when the server starts, with a content
 * security policy that lets the page load from and talk to nobody but this server and the voice service.
 */
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createHash } from "node:crypto"

const types: { readonly [extension: string]: string } = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml"
}

/** Where each file of `web/practice` is served; whatever else lies there is not. */
const routes = {
  "/": "index.html",
  "/favicon.svg": "favicon.svg",
  // Browsers ask for this one by themselves, on the documentation too.
  "/favicon.ico": "favicon.svg",
  "/practice/main.css": "main.css",
  "/practice/main.js": "main.js",
  "/practice/microphone.js": "microphone.js"
} as const

/** The WebSocket origins of a voice service, from the base URL of its API. */
const voiceOrigins = (baseUrl: URL): string => {
  const scheme = baseUrl.protocol === "https:" ? "wss:" : "ws:"
  const origins = [`${scheme}//${baseUrl.host}`]
  // The vendor signs URLs on regional hosts of its own domain.
  if (baseUrl.hostname.endsWith("elevenlabs.io")) origins.push("wss://*.elevenlabs.io")
  return origins.join(" ")
}

export interface Options {
  /** The folder that the build wrote the pages to. */
  readonly directory: string
  readonly voiceBaseUrl: URL
}

/** The page and its parts, as routes past the API's limits. */
export const layer = (
  options: Options
): Layer.Layer<never, never, HttpLayerRouter.HttpRouter | FileSystem.FileSystem | Path.Path> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const router = yield* HttpLayerRouter.HttpRouter
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const headers = {
        "cache-control": "no-cache",
        "content-security-policy": [
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          "img-src 'self'",
          `connect-src 'self' ${voiceOrigins(options.voiceBaseUrl)}`,
          "base-uri 'none'",
          "form-action 'self'",
          "frame-ancestors 'none'"
        ].join("; "),
        "permissions-policy": "microphone=(self)",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff"
      }
      for (const [route, file] of Object.entries(routes) as ReadonlyArray<[keyof typeof routes, string]>) {
        // The files are part of the build: without them there is nothing to start.
        const body = yield* Effect.orDie(fs.readFile(path.join(options.directory, file)))
        const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`
        const contentType = types[path.extname(file)] ?? "application/octet-stream"
        const full = HttpServerResponse.uint8Array(body, { contentType, headers: { ...headers, etag } })
        const unchanged = HttpServerResponse.empty({ status: 304, headers: { ...headers, etag } })
        yield* router.add(
          "GET",
          route,
          Effect.map(HttpServerRequest.HttpServerRequest, (request) =>
            // A proxy that compresses marks the tag as weak.
            request.headers["if-none-match"]?.includes(etag) ? unchanged : full
          )
        )
      }
    })
  )

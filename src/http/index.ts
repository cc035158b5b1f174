/**
 * The HTTP server: one envelope around every answer, limits, identity, probes and an orderly end. One module a concept.
 *
 * @since 0.1.0
 */
export * as BodyLimit from "./BodyLimit.js"
export * as ClientAddress from "./ClientAddress.js"
export * as CurrentRequest from "./CurrentRequest.js"
export * as Deadline from "./Deadline.js"
export * as Documentation from "./Documentation.js"
export * as Drain from "./Drain.js"
export * as Envelope from "./Envelope.js"
export * as HttpApiRoutes from "./HttpApiRoutes.js"
export * as HttpErrors from "./HttpErrors.js"
export * as Identity from "./Identity.js"
export * as Lifecycle from "./Lifecycle.js"
export * as Loopback from "./Loopback.js"
export * as NodeServer from "./NodeServer.js"
export * as OperatorAccess from "./OperatorAccess.js"
export * as Probes from "./Probes.js"
export * as Problem from "./Problem.js"
export * as RateLimit from "./RateLimit.js"
export * as RateLimitGroups from "./RateLimitGroups.js"
export * as RequestId from "./RequestId.js"
export * as RetryAfter from "./RetryAfter.js"
export * as RouteTable from "./RouteTable.js"
export * as SecurityHeaders from "./SecurityHeaders.js"
export * as Server from "./Server.js"
export * as WithResilience from "./WithResilience.js"

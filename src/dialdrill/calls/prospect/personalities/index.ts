/**
 * Everybody one can call, easiest first. A new prospect is a new file and one word in this list.
 *
 * @since 0.1.0
 */
import type { Personality } from "../Personality.js"
import { daniel } from "./daniel.js"
import { maya } from "./maya.js"
import { victoria } from "./victoria.js"
import { walt } from "./walt.js"

/**
 * @since 0.1.0
 * @category personalities
 */
export const all: readonly [Personality, ...ReadonlyArray<Personality>] = [maya, walt, daniel, victoria]

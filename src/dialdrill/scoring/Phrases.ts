/**
 * A small notation for what people say, so that the rubric reads as a list of phrases and not as regular expressions.
 *
 * - a space stands for any blank space,
 * - `…` stands for up to 40 characters of the same sentence,
 * - everything else is regular expression syntax (`(a|b)`, `s?`), matched as whole words, in any case.
 *
 * @since 0.1.0
 */

/**
 * A pattern that matches when one of the phrases is said. Without the `g` flag, so that it keeps no state.
 *
 * @since 0.1.0
 * @category constructors
 */
export const anyOf = (...phrases: ReadonlyArray<string>): RegExp =>
  new RegExp(`(?<![\\p{L}\\p{N}])(?:${phrases.map(expand).join("|")})(?![\\p{L}\\p{N}])`, "iu")

const expand = (phrase: string): string => phrase.replaceAll(" … ", "…").replaceAll("…", gap).replaceAll(" ", blank)

const blank = "\\s+"
const gap = "(?:\\s|[,'\"-])(?:[^?!]{0,40}[\\s,'\"-])?"

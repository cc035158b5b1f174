/**
 * Which sentences are questions, and of which sort: open or closed, and meant to learn about the prospect or merely to
 * get permission, a reaction or a date. English only.
 *
 * @since 0.1.0
 */
import { anyOf } from "./Phrases.js"
import type { Sentence } from "./Transcript.js"

/**
 * Ends in a question mark, or opens like a question or a request to tell (speech recognition often drops the mark).
 *
 * @since 0.1.0
 * @category guards
 */
export const isQuestion = (sentence: Sentence): boolean =>
  questionMark.test(sentence.plain) || interrogativeOpening.test(sentence.plain) || requestToTell.test(sentence.plain)

/**
 * Cannot be answered with yes or no: what, how, why, "tell me about", "walk me through".
 *
 * @since 0.1.0
 * @category guards
 */
export const isOpenQuestion = (sentence: Sentence): boolean =>
  isQuestion(sentence) && (openWord.test(sentence.plain) || requestToTell.test(sentence.plain))

/**
 * Asks something about the prospect's world. Pleasantries, permission, "does that make sense?" and the fixing of a date
 * are questions, but they discover nothing.
 *
 * @since 0.1.0
 * @category guards
 */
export const isDiscovery = (sentence: Sentence): boolean =>
  isQuestion(sentence) && sentence.words >= 3 && !asksForSomethingElse.test(sentence.plain)

/**
 * Asks whether an answer was good enough: "does that help?", "how does that sound?".
 *
 * @since 0.1.0
 * @category guards
 */
export const isConfirmation = (sentence: Sentence): boolean => isQuestion(sentence) && confirmation.test(sentence.plain)

const questionMark = /\?["'”’)]?$/u

const interrogativeOpening =
  /^(?:(?:and|so|but|okay|ok|great|now|well|then|sure|right|cool),?\s+){0,2}(?:(?:what|how|why|who|where|which|when)(?:'s|\s+(?:is|are|was|do|does|did|would|will|can|could|should|have|has|many|much|often|long))\s+(?:you|your|the|that|it|we|they|this|people|a|an)|(?:do|does|did|are|is|can|could|would|will|have|has)\s+(?:you|your)\s)(?![^]*\.$)/iu

const openWord =
  /(?:^|[,;:—–-]\s*|(?<!\p{L})(?:and|so|but|okay|ok|great|it|curious|ask|asking|wondering|then|now|mind|roughly|exactly)\s+)(?:what|how|why|which|who|where)(?!\p{L})/iu

const requestToTell = anyOf(
  "(tell|walk|talk) me (more|a (little|bit)|about|through|how|what|why)",
  "(can|could|would) you (tell|walk|talk|describe|explain|elaborate|expand|share|give me)",
  "help me understand",
  "i'd love to (hear|understand|know|learn) (about|how|what|why|more)",
  "i'm curious (what|how|why|who)",
  "^describe"
)

const confirmation = anyOf(
  "(does|would|did|do) (that|this|it|any of that) … (sense|help|helps|address|answer|answers|sound|work|ease|cover|resolve|feel|seem|change|fair|settle|worth)",
  "(does|would|did) (that|this|it) (help|address|answer|sound|work|ease|cover|resolve|feel|seem|change|settle|make)",
  "is (that|this) … (fair|ok|okay|helpful|reasonable|clear|worth|useful|enough)",
  "is (that|this) (fair|ok|okay|helpful|reasonable|clear|worth|useful|enough|better)",
  "(how|where) does that (sound|land|feel|look|fit|sit|leave)",
  "make sense",
  "(sound|sounds) (good|fair|reasonable|ok|okay|right)",
  "fair enough",
  "what do you think( about| of)?( that| this| it)?\\?",
  "how do you feel",
  "are you (comfortable|ok|okay) with",
  "did i (answer|address|get)",
  "(what|anything|something) else … (holding|stopping|concern|worry|worries|worried|need|stand|keep)",
  "(could|can) you see"
)

const asksForSomethingElse = anyOf(
  // pleasantries and permission
  "how are you( doing| today| this|\\?|,)",
  "how's it going",
  "how's your (day|week|morning|afternoon)",
  "how have you been",
  "(can|do) you hear me",
  "(am|are) i (speaking|talking)",
  "is this (\\p{L}|[.])+( (\\p{L})+)?\\?",
  "good time|bad time|okay time|right time",
  "(a|two|three|few|couple of|thirty|30|27|60) (quick )?(minute|minutes|moment|second|seconds|sec|min|mins)",
  "(may|can|could) i (tell|take|share|explain|have|get|borrow|send|show|book|put|give|call)",
  "(may|can|could|mind if) i (ask )?(you )?(a|an|one|two|some|few|couple|something)",
  "why i (called|call|am calling)",
  // reactions
  "(?<!(how|what|why) )(does|would|did) (that|this|it) … (sense|help|address|answer|sound|work|ease|cover|feel|seem|change|fair|settle|solve)",
  "(?<!(how|what|why) )(does|would|did) (that|this|it) (help|address|answer|sound|work|ease|cover|feel|seem|change|make|be|settle|solve|fix)",
  "is that (fair|ok|okay|helpful|reasonable|clear)",
  "how does (that|this|it) (sound|land|feel|look|sit)",
  "make sense",
  "sound(s)? (good|fair|reasonable|ok|okay|interesting)",
  "what do you (think|say)( about| of)?( that| this| it)?\\?",
  "(concerns|holding you back|hesitant|hesitation|hesitations|anything else|what else would)",
  // dates and next steps
  "(how|what) about",
  "what if (we|i)",
  "what time (works|suits|is|would)|(which|what) day|when (can|could|should) (we|i)|when (works|suits|are you|is good)",
  "(monday|tuesday|wednesday|thursday|friday|tomorrow|next week|this week|morning|afternoon|[0-9]+) … (work|works|suit|suits|good|better|ok|okay|free)",
  "(work|works|suit|suits|good|better|free|available) (for you|then|monday|tuesday|wednesday|thursday|friday|tomorrow|next week|this week|on (monday|tuesday|wednesday|thursday|friday|tomorrow)|at [0-9])",
  "(would|are) you (be )?(open|up|willing|free|available|ready|interested)",
  "(can|could|should|shall) we (set|schedule|book|meet|find|put|hop|get|do|start|talk|plan|pencil|grab)",
  "(morning|afternoon) (or|work)",
  "(calendar|(want|like|ready|able) to (sign up|buy|go ahead|move forward|get started)|(sign up|get started|buy) (today|now))"
)

/**
 * How the rep deals with each objection: acknowledge it, ask about it, answer it with proof, confirm that it is settled.
 *
 * @since 0.1.0
 */
import { isConfirmation, isQuestion } from "./Questions.js"
import { anyOf } from "./Phrases.js"
import type { Reading } from "./Reading.js"
import type { Objection } from "./ObjectionFinder.js"
import { type Category, type Found, quotes } from "./Signal.js"
import type { Sentence } from "./Transcript.js"

/**
 * A step of handling an objection, by the sentences of the reply that take it.
 *
 * @since 0.1.0
 * @category models
 */
export type Step = "acknowledging" | "exploring" | "answering" | "proving" | "confirming"

const acknowledgement = anyOf(
  "i (totally |completely |fully |really |definitely |certainly |absolutely |can |do |hear )*(understand|hear|get|appreciate|respect|see) (you|that|it|where|why|how|your|what|the|completely|completely\\.)",
  "(totally|completely|absolutely|i) (understand|hear|get it|understandable)",
  "(understood|understandable)",
  "(that's|that is|it's|is|totally|completely|perfectly|very|a) (a )?(totally |completely |perfectly |very |really |absolutely )?(fair|great|good|valid|reasonable|understandable|normal|legitimate|smart|common|important) ?(point|question|concern|call|one|thing|reaction|worry|to|enough)?",
  "fair (enough|point|question|concern)",
  "makes (total |perfect |complete |a lot of |good )?sense",
  "(good|great|fair|valid) (point|question|concern)",
  "(thanks|thank you|appreciate you|appreciate) (for )?(being|sharing|telling|raising|bringing|saying|the|your) … (honest|honesty|candor|direct|upfront|straight|that|it|up|me)",
  "(a lot of|many|most|several|other|plenty of|some|lots of) (of )?(\\p{L}|['’])+ … (felt|feel|said|say|thought|told|tell|had|asked|worry|worried|heard|hear|were)",
  "(you're|you are) (absolutely |totally |quite )?right (to|that|about)",
  "(don't|wouldn't|can't) blame you",
  "(i'd|i would) (feel|think|say|want|ask|be|do) … (same|too|skeptical|careful|the same)",
  "(of course|absolutely|certainly|totally|no pressure|no worries|got it|sorry to hear|i hear)",
  "budget(s)? (is|are|matters?)"
)

const proof = anyOf(
  "[0-9]+([.,][0-9]+)? ?(%|percent|hours|hour|days|weeks|months|minutes|dollars|people|customers|clients|teams|companies|reps|times|x)?",
  "(one|another|two|three|most|many|several|some) of our (customers|clients|users)",
  "(customers|clients|teams|companies|clinics|firms|shops) (like|who|that|tell|told|see|saw|in|with|such)",
  "for (example|instance)",
  "case study|reference|references|testimonial",
  "(on average|typically|within (a|the|two|three|six)|in the first)",
  "pays? (for itself|back)",
  "(guarantee|guaranteed|pilot|free trial|trial|money back|money-back|cancel any|month to month|month-to-month|no commitment|opt out|soc 2|certified)",
  "(two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|forty|fifty|ninety|half|twice|double) … (percent|hours|days|weeks|months|people|times|customers|clients|teams|companies|dollars|minutes|of)"
)

const surrender = anyOf(
  "(okay|ok|alright|fine|no problem|sorry|understood|sure),? … (let you go|bye|goodbye|nevermind|never mind|have a (good|nice|great) (day|one))",
  "(i'll|i will|let me) (let you go|leave you|not bother)",
  "never ?mind|whatever|bye then",
  "sorry (for|to) (taking|take|bothering|bother|wasting|waste)",
  "(no problem|okay|ok|alright),? (then|bye|thanks anyway|i guess)",
  "(i guess|then) that's (it|all)"
)

const arguing = anyOf(
  "(you're|you are|that's|that is) (wrong|mistaken|not true|simply not|just not|ridiculous|crazy|silly|nonsense|an excuse|a mistake|short-sighted)",
  "(actually|but|well),? (no|that's not|you (don't|can't|should|have to|need to|must))",
  "you (don't|do not) (understand|get it|know|realize)",
  "you('re| are)? (clearly|obviously) (not|don't|didn't|missing)",
  "(everyone|everybody) (says|has|can|uses|needs|knows)",
  "(listen|look),? (you|i|it's|this|everyone)",
  "(not|isn't|it's not) (that )?(expensive|a lot of money|much)( at all)?",
  "(trust|believe) me",
  "(you'd|you would) be (crazy|stupid|silly|foolish)",
  "how can you (not|afford|say)",
  "you (need|have) (to|this)",
  "you should(n't| not)? (really |just |seriously )*(consider|think|switch|trust|reconsider)",
  "(your|a) (mistake|loss)",
  "(cheaper|better) than (everyone|everybody|anyone|all)"
)

const discounting = anyOf(
  "(give|offer|do|get|knock|throw|take) (you |in |off )*(a |an |some |another |you )*([0-9]+ ?(%|percent) )?(discount|deal|off|cheaper|lower|better price|special)",
  "(lower|drop|cut|reduce|negotiate|flexible on) (the|our|on the|on) (price|pricing)",
  "[0-9]+ ?(%|percent) (off|discount)",
  "(half|ten|twenty|thirty|fifty) (percent |price )?(off|discount)"
)

const statement = (sentence: Sentence): boolean =>
  sentence.words >= 8 &&
  !isQuestion(sentence) &&
  !surrender.test(sentence.plain) &&
  !arguing.test(sentence.plain) &&
  !discounting.test(sentence.plain)

/**
 * Which sentences take which step.
 *
 * @since 0.1.0
 * @category rubric
 */
export const steps: Readonly<Record<Step, (sentence: Sentence) => boolean>> = {
  acknowledging: ({ plain }) => acknowledgement.test(plain) && !surrender.test(plain) && !arguing.test(plain),
  exploring: (sentence) =>
    isQuestion(sentence) && sentence.words >= 3 && !isConfirmation(sentence) && !advance.test(sentence.plain),
  answering: statement,
  proving: (sentence) => statement(sentence) && proof.test(sentence.plain),
  confirming: isConfirmation
}

// A request for the next step is no question about the objection.
const advance = anyOf(
  "(can|could|should|shall) (we|i (?!ask))",
  "(would|are) you (be )?(open|up|willing|free|available|ready)",
  "(how|what) about",
  "sign up|get started|buy"
)

/**
 * Whether an objection was got over: answered, after it was acknowledged or explored, without giving up.
 *
 * @since 0.1.0
 * @category accessors
 */
export const isRecovered = ({ reply }: Objection): boolean =>
  reply.some(steps.answering) &&
  (reply.some(steps.acknowledging) || reply.some(steps.exploring)) &&
  !reply.some(({ plain }) => surrender.test(plain) || arguing.test(plain))

/** The share of the objections whose reply takes the step. */
const inReplies =
  (passes: (sentence: Sentence) => boolean) =>
  ({ objections }: Reading): Found => {
    const taken = objections.map(({ reply }) => reply.filter(passes)).filter((found) => found.length > 0)
    return { share: objections.length === 0 ? 0 : taken.length / objections.length, evidence: quotes(taken.flat()) }
  }

/** A fault in any reply counts in full. */
const inAnyReply =
  (pattern: RegExp) =>
  ({ objections }: Reading): Found => {
    const found = objections.flatMap(({ reply }) => reply.filter(({ plain }) => pattern.test(plain)))
    return { share: found.length > 0 ? 1 : 0, evidence: quotes(found) }
  }

/**
 * @since 0.1.0
 * @category rubric
 */
export const Objections = {
  category: "objections",
  weight: 2,
  instead: ({ objections, prospectWords }) =>
    objections.length > 0
      ? undefined
      : prospectWords >= 20
        ? {
            score: 5,
            feedback: 'No objection came up, so this is neither good nor bad. Ask for one: "What would hold you back?"'
          }
        : { score: 0, feedback: "The prospect had no chance to object: let them talk." },
  signals: [
    {
      name: "acknowledging",
      points: 2.5,
      find: inReplies(steps.acknowledging),
      shown: "You acknowledged the objection first.",
      missing: "Acknowledge the objection before you answer it."
    },
    {
      name: "exploring",
      points: 2.5,
      find: inReplies(steps.exploring),
      shown: "You asked what is behind the objection.",
      missing: "Ask one question about the objection before you answer it."
    },
    {
      name: "answering",
      points: 2,
      find: inReplies(steps.answering),
      shown: "You answered the objection.",
      missing: "Answer the objection itself; do not give up or change the subject."
    },
    {
      name: "proving",
      points: 1,
      find: inReplies(steps.proving),
      shown: "You backed your answer with a figure or a customer's example.",
      missing: "Back the answer with a figure, a customer's example or a trial without risk."
    },
    {
      name: "confirming",
      points: 2,
      find: inReplies(steps.confirming),
      shown: "You checked whether the answer was enough.",
      missing: "Check that the objection is settled before you move on."
    },
    {
      name: "arguing",
      points: -2.5,
      find: inAnyReply(arguing),
      shown: "You argued with the prospect."
    },
    {
      name: "discounting",
      points: -2,
      find: inAnyReply(discounting),
      shown: "You offered a discount instead of an answer."
    },
    {
      name: "surrendering",
      points: -1.5,
      find: inAnyReply(surrender),
      shown: "You gave up at an objection."
    }
  ]
} as const satisfies Category

/**
 * What a coach says about each signal of the rubric: where in the rep's own words it shows, what to say there instead,
 * and further phrases to learn. One lesson a signal; the type demands that none is missing.
 *
 * @since 0.1.0
 */
import { withoutFillers } from "../scoring/Clarity.js"
import type { Objection, ObjectionKind } from "../scoring/ObjectionFinder.js"
import { type Step, steps } from "../scoring/Objections.js"
import { anyOf } from "../scoring/Phrases.js"
import { isOpenQuestion, isQuestion } from "../scoring/Questions.js"
import type { Reading } from "../scoring/Reading.js"
import type { CategoryId, Finding, SignalName } from "../scoring/Scoring.js"
import { type Quote, quoteOf, type Sentence } from "../scoring/Transcript.js"

/**
 * What an improvement is about: the call, and what became of the signal in it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Case {
  readonly reading: Reading
  readonly finding: Finding
}

/**
 * - `where`: the rep's words to improve, best first.
 * - `say`: the sentence to say instead of the chosen ones.
 * - `phrases`: more of the kind, to learn by heart.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lesson {
  readonly where: (subject: Case) => ReadonlyArray<Quote>
  readonly say: string | ((subject: Case, chosen: Quote) => string)
  readonly phrases: ReadonlyArray<string>
}

const quotesOf = (sentences: ReadonlyArray<Sentence>): ReadonlyArray<Quote> =>
  sentences.map((sentence) => quoteOf(sentence))

const longestFirst = (sentences: ReadonlyArray<Sentence>): ReadonlyArray<Sentence> =>
  [...sentences].sort((a, b) => b.words - a.words)

const shown: Lesson["where"] = ({ finding }) => finding.evidence

const firstWords: Lesson["where"] = ({ reading }) => quotesOf(reading.opening)

const longestOpening: Lesson["where"] = ({ reading }) => quotesOf(longestFirst(reading.opening))

/** Where a question belongs: the closed questions that were asked, then the statements that were made instead. */
const insteadOfAsking: Lesson["where"] = ({ reading }) =>
  quotesOf([
    ...reading.discovery.filter((sentence) => !isOpenQuestion(sentence)),
    ...longestFirst(reading.rep.filter((sentence) => !isQuestion(sentence)))
  ])

/** The longest statements of the pitch, then the rest: what answers an objection or ends the call has its own lessons. */
const longestStatements: Lesson["where"] = ({ reading }) => {
  const elsewhere = new Set([...reading.objections.flatMap(({ reply }) => reply), ...reading.ending])
  const statements = longestFirst(reading.rep.filter((sentence) => !isQuestion(sentence)))
  const [rest, pitch] = [true, false].map((other) => statements.filter((one) => elsewhere.has(one) === other))
  return quotesOf([...(pitch ?? []), ...(rest ?? [])])
}

const lastWords: Lesson["where"] = ({ reading }) => {
  const mine = reading.ending.filter(({ role }) => role === "user").reverse()
  return quotesOf([...mine.filter(({ words }) => words >= 4), ...mine.filter(({ words }) => words < 4)])
}

/** The replies that lack the step; an objection without a reply is shown by what the rep said before it. */
const repliesWithout =
  (step: Step): Lesson["where"] =>
  ({ reading }) =>
    quotesOf(
      lacking(reading, step).flatMap(({ raised, reply }) => (reply.length > 0 ? reply : before(reading, raised)))
    )

const lacking = ({ objections }: Reading, step: Step): ReadonlyArray<Objection> =>
  objections.filter(({ reply }) => !reply.some(steps[step]))

const before = ({ rep }: Reading, raised: Sentence): ReadonlyArray<Sentence> =>
  rep.filter(({ turn }) => turn < raised.turn).slice(-1)

/**
 * The objection that the chosen words answer, or that followed them.
 *
 * @since 0.1.0
 * @category accessors
 */
export const objectionOf = (reading: Reading, { turn }: Quote): Objection | undefined =>
  reading.objections.find(({ reply }) => reply.some((sentence) => sentence.turn === turn)) ??
  reading.objections.find(({ raised }) => raised.turn > turn)

const byKind =
  (lines: Readonly<Record<ObjectionKind, string>>): Extract<Lesson["say"], Function> =>
  (subject, chosen) =>
    lines[objectionOf(subject.reading, chosen)?.kind ?? "need"]

/** The prospect's most telling words: those about a trouble, else the longest of a size to be repeated. */
const prospectSaid = ({ prospect }: Reading): string | undefined => {
  const fit = longestFirst(prospect.filter(({ text, words }) => words >= 4 && words <= 22 && !text.includes("?")))
  const telling = fit.find(({ plain }) => trouble.test(plain)) ?? fit[0]
  return telling?.text.replace(/[\s.!…]+$/u, "")
}

const trouble = anyOf(
  "(lose|lost|losing|slow|late|mess|problem|hard|hours|manual|by hand|angry|cost|costs|headache|behind|nobody|never|struggle|wrong|errors?|mistakes?|worst|weekend|morning|expensive|delay|delays|quit|up [0-9]+)"
)

const aboutTheirWords =
  (withWords: (said: string) => string, without: string): Extract<Lesson["say"], Function> =>
  ({ reading }) => {
    const said = prospectSaid(reading)
    return said === undefined ? without : withWords(said)
  }

/** The first clause of a long sentence, as a sentence of its own. */
const firstClause = (text: string): string => {
  const clause = /^(?:\S+\s+){5,24}?\S+?(?=[,;:]\s|\s(?:and|but|because|which|so|while|where)\s)/iu.exec(text)?.[0]
  return `${(clause ?? text.split(/\s+/u).slice(0, 15).join(" ")).replace(/[\s,;:.]+$/u, "")}.`
}

/**
 * The lessons by signal.
 *
 * @since 0.1.0
 * @category lessons
 */
export const lessons: Readonly<Record<SignalName, Lesson>> = {
  greeting: {
    where: firstWords,
    say: "Good morning, Mr. Reed, this is ...",
    phrases: ["Hi Dana, thanks for picking up."]
  },
  introduction: {
    where: firstWords,
    say: "Hi, this is Alex from Acme, we've never spoken.",
    phrases: ["My name is Alex, I'm calling from Acme."]
  },
  permission: {
    where: longestOpening,
    say: "Did I catch you at a bad time, or do you have thirty seconds for me to say why I'm calling?",
    phrases: ["Can I take half a minute, and then you decide whether we go on?"]
  },
  reason: {
    where: longestOpening,
    say: "The reason I'm calling is that I saw you are growing your team, and that is when this usually starts to hurt.",
    phrases: ["I'm calling because I read about your new site, and had a question about it."]
  },
  value: {
    where: longestOpening,
    say: "We help teams like yours save about five hours a week on this; may I ask how you do it today?",
    phrases: ["Companies your size usually cut that by a third within two months."]
  },
  apology: {
    where: shown,
    say: "I know this call comes out of the blue. May I tell you in one sentence why I picked you?",
    phrases: ["You weren't expecting my call, so I'll be brief."]
  },
  emptyReason: {
    where: shown,
    say: "I'm calling because two companies in your street asked us the same question, and I wondered if you have it too.",
    phrases: ["Last time you told me the quarter would show it, so I'd like to hear what it showed."]
  },
  longOpening: {
    where: firstWords,
    say: (_, { quote }) => `${firstClause(quote)} Is that something you deal with?`,
    phrases: ["Let me stop here: is that a topic for you at all?"]
  },
  openQuestions: {
    where: insteadOfAsking,
    say: "How do you handle that today, and who does it?",
    phrases: ["Walk me through the last time that happened.", "What made you choose the way you do it now?"]
  },
  painQuestions: {
    where: insteadOfAsking,
    say: aboutTheirWords(
      (said) => `You said "${said}". What does that cost you in a normal month?`,
      "What happens when that goes wrong, and what does it cost you?"
    ),
    phrases: ["If nothing changes this year, what happens?", "What is the hardest part of that for your team?"]
  },
  processQuestions: {
    where: longestStatements,
    say: "When you decide on something like this, who else has a say, and by when would it have to be in place?",
    phrases: ["How did you decide the last time you bought something like this?"]
  },
  reflecting: {
    where: longestStatements,
    say: aboutTheirWords(
      (said) => `It sounds like this matters: "${said}". Did I get that right?`,
      "It sounds like that takes more time than it should. Did I get that right?"
    ),
    phrases: ["Let me make sure I understand: ...", "You mentioned that earlier; tell me more about it."]
  },
  listening: {
    where: longestStatements,
    say: "I could say a lot about that, but I'd rather hear it from you: what would have to be different?",
    phrases: ["Go on.", "What else?"]
  },
  stackedQuestions: {
    where: shown,
    say: (_, { quote }) => `${quote} (Then wait for the answer.)`,
    phrases: ["One question first: how do you do it today?"]
  },
  acknowledging: {
    where: repliesWithout("acknowledging"),
    say: byKind({
      price: "I hear you, and it makes sense to look hard at what it costs.",
      timing: "That makes sense, you have a lot on your plate right now.",
      competitor: "That's good to hear, most people I talk to have something in place already.",
      authority: "That makes sense, a decision like this should not rest on one person.",
      need: "Fair point, not everybody needs this.",
      trust: "I understand, I'd be careful too in your place.",
      "brush-off": "Fair enough, you weren't waiting for my call."
    }),
    phrases: ["I appreciate you telling me that.", "Fair point, and you are not the first to say so."]
  },
  exploring: {
    where: repliesWithout("exploring"),
    say: byKind({
      price: "When you say expensive, what are you comparing it with?",
      timing: "What has to be off your desk first, and what changes then?",
      competitor: "What do you like most about what you have, and what would you change if you could?",
      authority: "What will matter most to the person who decides?",
      need: "What makes you say that, and how do you solve it today?",
      trust: "What would you have to see to be comfortable with it?",
      "brush-off": "Before I go: what would have to be in that email for it to be worth reading?"
    }),
    phrases: ["Apart from that, is there anything else that would hold you back?", "What is behind that, if I may ask?"]
  },
  answering: {
    where: repliesWithout("answering"),
    say: byKind({
      price:
        "It costs less than the hours it gives back: at five hours a week it has paid for itself in the second month.",
      timing: "That is why we start with the part that takes none of your time, so it is ready when you are.",
      competitor:
        "You can keep what you have: we take over only the part that still costs you the time you told me about.",
      authority: "Then let me give you one page with your own numbers, so that you don't have to sell it for me.",
      need: "The teams that said the same to us found out when they counted one week, so let us count one week together.",
      trust: "You don't have to believe me: talk to a customer of your size, and try it for a month before you decide.",
      "brush-off":
        "I'll keep it to one sentence: we give people in your job five hours a week back, and I can show how in ten minutes."
    }),
    phrases: ["Here is how a customer with the same worry solved it: ..."]
  },
  proving: {
    where: repliesWithout("proving"),
    say: "One of our customers, about your size, had the same worry and saw the difference after 6 weeks: 30 percent fewer errors.",
    phrases: ["You can try it for a month, and cancel any day of it."]
  },
  confirming: {
    where: ({ reading }) => {
      const replies = lacking(reading, "confirming").flatMap(({ reply }) => reply)
      return quotesOf([...replies.filter(steps.answering).reverse(), ...longestFirst(replies)])
    },
    say: byKind({
      price: "Does that put the price in a better light, or is something still missing?",
      timing: "Would it help if we did it that way, so it doesn't cost you time now?",
      competitor: "Does that answer how it would fit with what you have?",
      authority: "Would that be enough for a good talk with the one who decides?",
      need: "Does that make sense for how you work?",
      trust: "Does that settle your worry, or what would you still want to see?",
      "brush-off": "Is that fair?"
    }),
    phrases: ["Does that answer it, or is there something else behind it?"]
  },
  arguing: {
    where: shown,
    say: "I see why you look at it that way. What would have to be true for it to be worth a second look?",
    phrases: ["You know your business better than I do, so help me understand."]
  },
  discounting: {
    where: shown,
    say: "Before we talk about the price: if it cost the same as today, would you want it?",
    phrases: ["Let us look at what it brings you first, and at the price after that."]
  },
  surrendering: {
    where: shown,
    say: "I understand. May I ask one last question: what would have made this call worth your time?",
    phrases: ["Fair enough. When would be a better day for a short call?"]
  },
  fluency: {
    where: shown,
    say: (_, { quote }) => withoutFillers(quote),
    phrases: ['(Say the sentence, stop, and breathe where the "um" was.)']
  },
  shortTurns: {
    where: shown,
    say: (_, { quote }) => `${firstClause(quote)} How does that compare with what you do today?`,
    phrases: ["I'll stop here: what do you think so far?"]
  },
  shortSentences: {
    where: shown,
    say: (_, { quote }) => firstClause(quote),
    phrases: ["In one sentence: ..."]
  },
  confidence: {
    where: shown,
    say: "We do that for forty companies of your size. I'll find out the one detail I don't know and tell you by noon.",
    phrases: ["Yes, we do.", "I don't know that yet; you'll have the answer today."]
  },
  plainWords: {
    where: shown,
    say: "In plain words: you press one button, and the list that took you a morning is done.",
    phrases: ["For you that means: ..."]
  },
  specifics: {
    where: longestStatements,
    say: "For example, a company with 40 people went from 6 hours to 2 hours a week in the first month.",
    phrases: ["To give you a number: ..."]
  },
  nextStep: {
    where: lastWords,
    say: "Let's do this: we meet for twenty minutes, and I show you with your own numbers what it would look like.",
    phrases: ["What I'd suggest as a next step is a short demo with the two of you."]
  },
  date: {
    where: lastWords,
    say: "How about Thursday at 10, or is Friday morning better?",
    phrases: ["Do you have your calendar open? I have Tuesday at 2 or Wednesday at 9."]
  },
  owner: {
    where: lastWords,
    say: "I'll send the invite in the next five minutes; could you bring last month's numbers?",
    phrases: ["Who else should I put on the invite?"]
  },
  recap: {
    where: lastWords,
    say: aboutTheirWords(
      (said) => `So to recap, what matters most is what you told me: "${said}". That is what I'll show you.`,
      "So to recap: we look at how you do it today, and at what it would save you."
    ),
    phrases: ["Based on what you told me, the one thing to solve is ..."]
  },
  commitment: {
    where: lastWords,
    say: "Can I count on you for Thursday at 10? If something comes up, will you tell me the day before?",
    phrases: ["Is there anything that could come between us and that meeting?"]
  },
  goodbye: {
    where: lastWords,
    say: "Thank you for your time, I look forward to Thursday.",
    phrases: ["Thanks for the frank answers, talk to you then."]
  },
  vagueEnd: {
    where: shown,
    say: "I don't want to leave this open. Shall we take ten minutes on Tuesday at 9, and you tell me yes or no?",
    phrases: ["Let us put a day on it, we can still move it."]
  }
}

/**
 * What to practise when a category is weak.
 *
 * @since 0.1.0
 * @category lessons
 */
export const drills: Readonly<Record<CategoryId, string>> = {
  opening:
    "Opening drill: say your first thirty seconds aloud ten times (name, company, permission, reason, one benefit), then start three calls and stop after the opening.",
  discovery:
    "Discovery drill: run a call in which you may not say what you sell until you have asked four open questions and played back one answer.",
  objections:
    "Objection drill: run a call with a hard prospect, and answer every objection in four steps: acknowledge, ask, answer, confirm.",
  clarity:
    "Clarity drill: record one minute of your pitch, count the fillers and the sentences over thirty words, and say it again until both are gone.",
  closing: "Closing drill: run three short calls that must each end with a day, a time and a task for both sides."
}

/**
 * Lines to begin with, for a rep who has not begun.
 *
 * @since 0.1.0
 * @category lessons
 */
export const firstLines: ReadonlyArray<string> = [
  "Hi, this is Alex from Acme. Did I catch you at a bad time?",
  "The reason I'm calling is that we help teams like yours save five hours a week.",
  "How do you handle that today?"
]

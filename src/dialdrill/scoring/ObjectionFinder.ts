/**
 * Finds the prospect's objections and the part of the call in which the rep dealt with each.
 *
 * What the prospect answers to the rep's question about an objection still belongs to that objection: to ask before
 * answering is what good reps do, and must not look like a second objection. English only.
 *
 * @since 0.1.0
 */
import { anyOf } from "./Phrases.js"
import { isConfirmation, isDiscovery, isQuestion } from "./Questions.js"
import type { Sentence } from "./Transcript.js"

/**
 * @since 0.1.0
 * @category models
 */
export type ObjectionKind = "price" | "timing" | "competitor" | "authority" | "need" | "trust" | "brush-off"

/**
 * An objection: its kind, the prospect's sentence, and what the rep said about it (at most `replyTurns` turns).
 *
 * @since 0.1.0
 * @category models
 */
export interface Objection {
  readonly kind: ObjectionKind
  readonly raised: Sentence
  readonly reply: ReadonlyArray<Sentence>
}

/** How many of the rep's turns count as the reply to an objection. */
const replyTurns = 3

interface Marker {
  readonly kind: ObjectionKind
  readonly pattern: RegExp
  /** Also what people answer to a question about their work, so it objects only when it answers a pitch. */
  readonly onlyAfterPitch?: boolean
}

// In order: the first that matches names the objection.
const markers: ReadonlyArray<Marker> = [
  {
    kind: "price",
    pattern: anyOf(
      "(too|so|very|really|pretty|quite|bit|little|awfully|kind of|crazy|sounds|seems|looks|is|that's|it's|you're) (expensive|pricey|pricy|steep|costly)",
      "(too|a lot|lot) … money",
      "price range|out of (our|my) (range|reach)",
      "(price|rate|cost|fee|fees|rates) … too high",
      "(no|have … no|don't have|haven't got|isn't|not|without|out of|over|beyond|tight|cut|frozen) … budget",
      "budgets? (is|are|has been|have been|was|were|got) … (tight|frozen|cut|spent|gone|locked|set|slashed|maxed)",
      "(can't|cannot|couldn't|can not) (afford|justify|spend)",
      "(cheaper|lower price|discount|half the price|better price|price is|price seems|pricing is|costs? too|lot cheaper)",
      "(why|how) … (cost|costs|expensive|charge) so much",
      "(stop|lost) (you|me) (at|on) the (money|price)",
      "(sounds|seems|looks|is) like a lot (for|of money)",
      "(whether|if|how) (we|i) can (even )?afford",
      "more than (we|i) (pay|want|can|planned|expected|budgeted)"
    )
  },
  {
    kind: "authority",
    pattern: anyOf(
      "(talk|speak|check|run|discuss|clear|ask|go|bring|take|consult) (to|with|it|this|that|my|our) … (boss|manager|partner|wife|husband|team|cfo|ceo|cto|director|board|it|legal|finance|committee|procurement|vp|head|owner|spouse)",
      "not (my|the right|really my) (call|decision|person)",
      "(not|isn't|aren't) … (decision maker|the one who decides|my decision|up to me)",
      "(someone|somebody) else … (decides|handles|decision|responsible|charge)",
      "(need|needs|require|requires) … (approval|sign off|sign-off|buy-in)",
      "(don't|do not|can't) (make|decide) … (decision|decisions|that|this|alone|myself|on my own)",
      "(i'd|i would|i|we'd|we) (have|need|want) to (ask|check with|run it by|clear it with)",
      "(can't|cannot|won't|not) … (commit|go around|get around|sign … (behind|without))",
      "(this|that|it) is (for|up to) my",
      "wrong person",
      "my (boss|manager|partner|wife|husband|cfo|ceo) … (decides|approve|say no|never|would|has to|have to|needs to)"
    )
  },
  {
    kind: "trust",
    pattern: anyOf(
      "(never|haven't|not|don't think) … heard (of|about)",
      "heard (this|that|it|the same) … before",
      "(where|how) did you get (my|this)",
      "(still|why should i) (don't )?(trust|believe)",
      "(how|why) (do|should|can|would) (i|we) (know|trust|believe)",
      "sounds too good",
      "(got|been|were) burned|a (disaster|nightmare)",
      "(not|isn't|aren't) (\\p{L}+ )?(convinced|sold on)|don't (\\p{L}+ )?believe",
      "(skeptical|sceptical|doubt|risky|too risky|suspicious|a scam)",
      "(nervous|hesitant|afraid|wary) (about|that|of)",
      "(my|our|one|main|biggest|real|only) (concern|worry|hesitation)",
      "(every|all) (vendor|vendors|sales|salesperson|salespeople|of you|you) … (say|says|same|promise|promises)",
      "how did you get my (number|name|contact)",
      "(security|data|gdpr|compliance|privacy) … (risk|issue|problem|worry|concern|breach|review|reject|live|stored|answer)",
      "(locked|lock) (in|into)",
      "long contract|long-term contract|annual contract"
    )
  },
  {
    kind: "competitor",
    pattern: anyOf(
      "(happy|satisfied|fine|good|comfortable|content|stick|sticking|staying|pleased|set|covered) with (what|our|the|who|how|my|it|them|things|that|salesforce|hubspot)",
      "already (have|got|work with|working with|pay|paying|signed|invested|under) … (vendor|solution|provider|supplier|tool|system|someone|agency|contract|partner|platform|software|that|one|something)",
      "(just|recently) (signed|renewed)",
      "(under|in|have) (a )?contract (with|until|till)",
      "(we're|we are) (all set|good|covered|fine)",
      "(your competitor|competitors|another vendor|other vendors|someone else) … (cheaper|offers?|quoted|better|talking|looking)",
      "why (should|would) (we|i) (switch|change|choose|pick|go with)"
    )
  },
  {
    kind: "competitor",
    onlyAfterPitch: true,
    pattern: anyOf(
      "(already|currently) (use|using|have|work with|working with|do that|doing that)",
      "(works|working) (fine|well|okay|ok|just fine|great)",
      "ours (\\p{L}+ )?(works|runs)|(it|that) (runs|does work)|does work",
      "(in-house|in house|internally|ourselves)",
      "(just|recently) (switched|bought|implemented)",
      "we (order|buy|get|use) … (from|with)"
    )
  },
  {
    kind: "need",
    pattern: anyOf(
      "(don't|do not|doesn't|not sure we|not sure i) (\\p{L}+ )?(\\p{L}+ )?(need|want|have that problem|have a problem)",
      "(not|isn't|wasn't|never) (a |really |our |something |an |that )*(problem|priority|issue|need|fit|relevant|important|for us)",
      "(no|zero) (need|use|interest|reason|value)",
      "(what's|where's) (the point|in it for)",
      "too (complicated|complex|small|big|technical)",
      "(won't|wouldn't|can't|doesn't|not going to|isn't going to) (work|help|fit) … (us|here|our|me)",
      "(my|our|the) (\\p{L}+ )?\\p{L}+ (won't|would never|will never|wouldn't|don't|hate|hates|would hate|will hate) (to )?(be |being |ever )?(use|using|adopt|change|learn|like|liked|want|accept|another|new|it|that|this)",
      "they (won't|would never|will never|wouldn't|hate|would hate|will hate) (to )?(use|using|adopt|change|learn|like|accept|it|that|this)",
      "another (tool|platform|system|login|app|dashboard)",
      "(take|takes|too|so) … (long to (implement|set up|roll out|install|learn)|months to)"
    )
  },
  {
    kind: "need",
    onlyAfterPitch: true,
    pattern: anyOf(
      "(they|he|she|people|team|staff|drivers|reps|carers) (\\p{L}+ )?won't",
      "won't (use|touch|learn|do anything|get (me|us|you) far)",
      "no (point|use) (in|to|for|if)",
      "(could|can|will|shouldn't|might) (\\p{L}+ )?(build|do) (it|this|something|that|one) (\\p{L}+ )?(like|our|my|in)",
      "(who|when) would (i |we |even )*(set|do|run|have|enter)",
      "(never|not) (really )?need(ed)?",
      "(we've|we have|i have|i've) got … (we can handle|it runs|it works)",
      "(not|wouldn't|don't want to) (\\p{L}+ )?(starting|start|take|sacrifice|give up|change) (a|an|another|my|our|that)",
      "no good with",
      "why should (i|we) care",
      "too (slow|hard|difficult|long|much|high|many|late|early|old)",
      "(don't|do not|can't) (really )?(see|think) (the|a|any|why|how|that|it|this|we)",
      "doesn't (really )?(fit|apply|work)"
    )
  },
  {
    kind: "trust",
    onlyAfterPitch: true,
    pattern: anyOf(
      "(evidence|proof|a claim|references)",
      "(vendor|vendors|salesperson|salespeople|others|other ones|sales guy) … (tell|tells|say|says|told|promise|promised|sound)",
      "(sound|sounds) like (the|every|all)",
      "(promised|sold) (me|us)",
      "(nervous|wary)",
      "(ended|went) (in|wrong|badly)",
      "(security|downtime|outage|goes down|go down|goes out)",
      "(tried|bought|used|looked at|looked into|evaluated|had|been) … (before|didn't work|failed|last (year|time))",
      "(worried|concerned|concern) (about|that|is|with)"
    )
  },
  {
    kind: "price",
    onlyAfterPitch: true,
    pattern: anyOf(
      "(money|wallet|payback|monthly bill|by the month|subscription|against what return|what return|cost less)",
      "(price|pricing|cost) (before|is|for)"
    )
  },
  {
    kind: "brush-off",
    pattern: anyOf(
      "(not|isn't|aren't|wasn't|never) (really |at all |that |even |very )?interested",
      "no,? (thanks|thank you)",
      "(not|wasn't|isn't|aren't) (really |currently |actively )?(looking|in the market) (for|to)",
      "(you're|you are|are you) … selling",
      "(email|mail) me",
      "brochure",
      "(send|email|mail|shoot|drop) (me|us|it|over|that) … (information|info|email|brochure|something|details|deck|material|over|by email|materials)",
      "(just|can you|could you) (email|mail) (me|us|it)",
      "(don't|do not|please stop|stop) (call|calling|contact)",
      "(is this|another) (a )?(sales|cold) (call|pitch|guy)",
      "(take|don't take) … (sales calls|cold calls|off your list)",
      "(i'm|i am) (hanging|going to hang|gonna hang)",
      "(have to|gotta|need to|got to) (go|run|jump|hang)",
      "not buying"
    )
  },
  {
    kind: "timing",
    pattern: anyOf(
      "(not|isn't|wasn't) (a |the |really a |really the |such a )*(good|right|best|great) (time|moment)",
      "bad (time|moment)",
      "(i'm|we're|me|caught|right|just|kind of) … (in the middle of|walking into|about to|halfway)",
      "(too|so|really|very|super|pretty|swamped|slammed|buried|i'm|we're|quite|kind of) (busy|slammed|swamped|stretched|underwater)",
      "(middle of|between|about to (go|walk|step)|late for|heading into|on my way) … (something|meeting|meetings|project|migration|call|launch|quarter)",
      "(isn't|not) (really |exactly )?(urgent|burning|in a hurry|pressing)",
      "(call|try|ring|reach|come|get|check|circle|touch) (me |us |back |out |base |in )*(back|again|later|next|in a|in six|in three|after)",
      "(maybe|perhaps|not (until|before|till|this)|wait (until|till|for)|later|revisit … in|look at … in) … (next (quarter|year|month)|this (quarter|year|month)|q[1-4]|january|spring|summer|fall|year|quarter|budget cycle)",
      "(think|sleep|mull) (about|on|over|it over) (it|this|that)",
      "think (it|this|that) over",
      "(don't have|haven't|have no|got no) (\\p{L}+ )?(time|bandwidth|capacity) (for|to talk|right now|now|today|this)"
    )
  },
  {
    kind: "timing",
    onlyAfterPitch: true,
    pattern: anyOf("(no|don't have|haven't|not enough|have no|got no) … (time|bandwidth|capacity|resources)")
  }
]

/**
 * The objections of a call in the order in which they were raised.
 *
 * @since 0.1.0
 * @category constructors
 */
export const findObjections = (turns: ReadonlyArray<ReadonlyArray<Sentence>>): ReadonlyArray<Objection> => {
  const raised: Array<{ readonly kind: ObjectionKind; readonly raised: Sentence; readonly at: number }> = []
  for (const [at, sentences] of turns.entries()) {
    const before = turns[at - 1] ?? []
    const repSpokeBefore = before[0]?.role === "user"
    const repAsked = repSpokeBefore && before.some(isQuestion)
    const last = raised.at(-1)
    // The answer to the question about it, and two turns later the answer to "does that help?".
    const patience = before.some(isConfirmation) ? 4 : 2
    const sameThread = last !== undefined && repAsked && at - last.at <= patience
    if (sameThread) continue
    const words = before.reduce((sum, sentence) => sum + sentence.words, 0)
    const afterPitch = repSpokeBefore && !before.some(isDiscovery) && words >= 6
    const found = firstObjection(sentences, afterPitch)
    if (found !== undefined) raised.push({ ...found, at })
  }
  return raised.map(({ at, ...objection }, index) => ({
    ...objection,
    reply: replyTo(turns, at, raised[index + 1]?.at ?? turns.length)
  }))
}

const firstObjection = (
  sentences: ReadonlyArray<Sentence>,
  afterPitch: boolean
): Omit<Objection, "reply"> | undefined => {
  for (const sentence of sentences) {
    if (sentence.role !== "agent") continue
    const marker = markers.find(
      ({ onlyAfterPitch, pattern }) => (afterPitch || onlyAfterPitch !== true) && pattern.test(sentence.plain)
    )
    if (marker !== undefined) return { kind: marker.kind, raised: sentence }
  }
  return undefined
}

const replyTo = (turns: ReadonlyArray<ReadonlyArray<Sentence>>, from: number, until: number): ReadonlyArray<Sentence> =>
  turns
    .slice(from + 1, until)
    .filter((sentences) => sentences[0]?.role === "user")
    .slice(0, replyTurns)
    .flat()

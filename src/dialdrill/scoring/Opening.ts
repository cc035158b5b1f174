/**
 * The first half minute: who calls, whether it suits, why, and what is in it for the prospect.
 *
 * @since 0.1.0
 */
import { anyOf } from "./Phrases.js"
import type { Reading } from "./Reading.js"
import { type Category, said } from "./Signal.js"

const opening = ({ opening }: Reading) => opening

/**
 * @since 0.1.0
 * @category rubric
 */
export const Opening = {
  category: "opening",
  weight: 1,
  signals: [
    {
      name: "greeting",
      points: 1.5,
      find: said(
        opening,
        anyOf(
          "hi",
          "hello",
          "hey",
          "good (morning|afternoon|evening|day)",
          "thanks for (taking|picking|making|joining)"
        )
      ),
      shown: "You greeted the prospect.",
      missing: "Open with a greeting and the prospect's name."
    },
    {
      name: "introduction",
      points: 2,
      find: said(
        opening,
        anyOf(
          "my name is",
          "(this is|it's|i'm|i am) (\\p{L}|['.-]){1,30}( (\\p{L}|['.-]){1,30})?,? (here )?(with|from|at|over at|calling from|and i)",
          "(\\p{L}){2,30} here,? (from|with|at|over)",
          "(calling|call|here) (you )?(from|on behalf of)",
          "(hi|hello|hey|morning|afternoon|evening),? (\\p{L}|[.])+( \\p{L}+)?[,.]? \\p{L}+( \\p{L}+)? (here )?(from|with|at)",
          "i (work|am) (with|at|for)",
          "i (run|lead|head) … (at|for)"
        )
      ),
      shown: "You said who you are and where you call from.",
      missing: "Say your name and your company in the first sentence."
    },
    {
      name: "permission",
      points: 2,
      find: said(
        opening,
        anyOf(
          "(do|would) you have … (minute|minutes|moment|second|seconds|sec|time|min|mins)",
          "(got|have|spare|take|borrow|steal|give me|for|need|use) … (minute|minutes|moment|second|seconds|sec|secs|mins)",
          "(catch|caught|catching|reach|reached) you at",
          "(is|are) (this|now|it) … (good|bad|okay|ok|decent|terrible|right) (time|moment)",
          "good time|bad time",
          "(can|could|may) i (have|take|get|ask|tell|share|explain|borrow|steal)",
          "(mind|okay|ok|alright|all right) if i",
          "(does|would) that (work|be (okay|ok|fair|alright))",
          "fair enough|is that fair",
          "hang up|then you can (decide|tell)"
        )
      ),
      shown: "You asked whether it suits before you went on.",
      missing: "Ask for permission: whether it is a good moment, or for half a minute."
    },
    {
      name: "reason",
      points: 2,
      find: said(
        opening,
        anyOf(
          "reason (for|i|i'm|why|that i|behind|of) … (call|calling|called|reaching|reached)",
          "reason (for|i|i'm|why)",
          "(i'm|i am|i was|we're) (calling|reaching out|following up|getting in touch|ringing) (because|about|to|regarding|as|since|after|on|with)",
          "i (called|call|wanted to call|reached out) (because|about|you because)",
          "i (noticed|saw|read|heard|came across|understand|see) (that|about|on|your|you|some)",
          "why i('m| am)? (call|called|calling)",
          "(you|your team|your company) (recently|just|downloaded|signed up|posted|announced|mentioned|asked|requested|filled)",
          "(spoke|speak|speaking|talk|talking|working|work|chat) (with|to) (other |several |many |a lot of |a few |some )*(\\p{L}+ )?(companies|teams|people|leaders|managers|directors|owners|firms|clinics|shops|vps|heads)",
          "(follow|following) up (on|about|from|after|with)",
          "congrats|congratulations",
          "(referred|suggested|recommended) (me|i|that|by|you)"
        )
      ),
      shown: "You gave the reason for the call.",
      missing: 'Give the reason for the call, something about this prospect: "I\'m calling because ...".'
    },
    {
      name: "value",
      points: 2.5,
      find: said(
        opening,
        anyOf(
          "(help|helps|helped|helping) … (companies|teams|people|businesses|leaders|managers|owners|firms|clinics|shops|reps|you|customers|clients|them|like|reduce|cut|save|get|increase|grow|avoid|find|close|ship|make|stop|keep)",
          "(save|saves|saved|saving|cut|cuts|cutting|reduce|reduces|reduced|reducing|increase|increased|boost|double|doubled|grow|grew|shorten|lower|lowered|avoid|recover|recovered|eliminate|speed up|win|free up)",
          "(companies|teams|people|businesses|leaders|managers|owners|firms|clinics|shops) … (struggle|struggles|find|tell|tells|say|says|lose|loses|waste|spend)",
          "[0-9]+ ?(%|percent|hours|days|weeks|minutes)",
          "(twice|half) (as|the|of)",
          "so (that )?(you|your|they) (can|could|don't|never|get|spend)"
        )
      ),
      shown: "You said what is in it for the prospect.",
      missing: "Say in one sentence what others like this prospect gained."
    },
    {
      name: "apology",
      points: -1.5,
      find: said(
        opening,
        anyOf(
          "(sorry|apologies|apologize|hate) (to|for) (bother|bothering|disturb|disturbing|interrupt|interrupting|take|taking|call|calling|the interruption)",
          "(don't|do not) (want|mean) to (bother|waste|disturb|take)",
          "(probably|know you're|i'm sure you're) … (busy|not interested)"
        )
      ),
      shown: "You apologised for calling, which tells the prospect that the call is worth little."
    },
    {
      name: "emptyReason",
      points: -1,
      find: said(
        opening,
        anyOf(
          "just (checking|calling|touching|wanted to (check|touch|see|follow)|following|reaching|seeing)",
          "touching base",
          "checking in"
        )
      ),
      shown: '"Just checking in" is no reason to listen.'
    },
    {
      name: "longOpening",
      points: -1.5,
      find: (reading) => {
        const first = reading.opening.filter(({ turn }) => turn === reading.opening[0]?.turn)
        const words = first.reduce((sum, sentence) => sum + sentence.words, 0)
        return { share: words > 90 ? 1 : 0, evidence: [] }
      },
      shown: "Your first turn was a speech of over 90 words; 30 to 60 is what people listen to."
    }
  ]
} as const satisfies Category
